package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestWrongCommandLines(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		line string
		says string
	}{
		{"statsu", `devstack has no verb "statsu"; did you mean "status"?`},
		{"bogus", "devstack has no verb \"bogus\"; `devstack --help` lists them"},
		{"help bogus", `devstack has no verb "bogus"`},
		{"clock advnce 1h", `clock has no verb "advnce"; did you mean "advance"?`},
		{"completion bsh", `completion has no verb "bsh"; did you mean "bash"?`},
		{"up --detatch", "up has no flag --detatch; did you mean --detach?"},
		{"-x", "devstack has no flag -x"},
		{"status extra", `status does not take "extra": devstack status`},
		{"invoke", "invoke needs NAME: devstack invoke NAME [EVENT]"},
		{"invoke a {} b", `invoke does not take "b"`},
		{"invoke a {bad", "the event is not JSON: {bad"},
		{"exec", "exec needs COMMAND: devstack exec -- COMMAND [ARGUMENT...]"},
		{"clock advance", "clock advance needs DURATION"},
		{"clock advance -1h", "the clock moves forward only"},
		{"clock advance soon", `"soon" is not a duration forward, like 90s or 1h30m`},
		{"clock advance 9999999h", "is not a duration forward"},
		{"serve --port abc", `serve: --port takes a whole number, and not "abc"`},
		{"serve --port 99999", "--port takes a number from 0 to 65535, and not 99999"},
		{"up --detach --wait soon", `up: --wait takes a duration, like 30s or 2m, and not "soon"`},
		{"up --detach --wait -1s", "--wait takes a duration above zero"},
		{"up --wait 1s", "--wait goes with --detach"},
		{"up --var x", `up: --var takes name=value, and not "x"`},
		{"logs -n -5", "logs: --lines takes a number from 0, and not -5"},
		{"trace -n -5", "trace: --lines takes a number from 0, and not -5"},
		{"status -C " + dir + "/nowhere", "there is no folder " + dir + "/nowhere"},
		{"status -C " + dir, "there is no stack.hcl in " + dir + " or a folder above it"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(tt.line), &out, &errs); code != exitConfiguration {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(errs.String(), tt.says) {
				t.Errorf("it says %q, and not %q", errs.String(), tt.says)
			}
			if out.Len() > 0 {
				t.Errorf("on standard output: %s", out.String())
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	for _, line := range []string{"", "--help", "help", "help up", "help clock advance", "up --help", "clock --help", "completion", "version"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(line), &out, &errs); code != 0 || out.Len() == 0 || errs.Len() > 0 {
			t.Errorf("%q: exit code %d, %d bytes, %s", line, code, out.Len(), errs.String())
		}
	}
}
