package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test -run TestTheReferenceIsCurrent . -update

const referenceFile = "../../docs/cli.md"

// docs/cli.md is made from the commands themselves.
func TestTheReferenceIsCurrent(t *testing.T) {
	want := reference(newRoot())
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(referenceFile); err != nil || string(got) != want {
		t.Errorf("docs/cli.md is not what the commands say (%v); `go generate ./cmd/devstack` writes it anew", err)
	}
}

// reference describes a command and all below it in Markdown.
func reference(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Generated from cmd/devstack by `go generate ./cmd/devstack`; do not edit. -->\n\n# The command line\n\n%s\n\n", sentence(root.Long))
	b.WriteString("Verbs that concern a stack find it in the current folder or the nearest one above with a `stack.hcl`; `-C FOLDER` begins elsewhere.\n\n")
	b.WriteString("| Exit code | Meaning |\n|---|---|\n")
	for _, row := range [][2]string{
		{"0", "It is done."}, {fmt.Sprint(exitFailure), "It failed for a reason that is none of the following."},
		{fmt.Sprint(exitConfiguration), "The stack's files, the verb, a flag or an argument are wrong."},
		{fmt.Sprint(exitStart), "A resource did not start or is not healthy; a port is in use."}, {fmt.Sprint(exitTimeout), "It did not happen in the time given."},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	b.WriteString("\n`devstack exec` has the exit code of the command that it runs.\n\n")
	b.WriteString("Colours are for terminals: with output into a file or a pipe, or with `CI` or `NO_COLOR` set, there are none, and no other\ncontrol characters. `--json` prints one JSON value; `logs --json` one a line. Names in it stay.\n")
	describe(&b, root)
	return b.String()
}

func describe(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Name() == "help" {
		return
	}
	if cmd.HasParent() {
		fmt.Fprintf(b, "\n## %s\n\n    %s\n\n%s\n", cmd.CommandPath(), usage(cmd), sentence(orElse(cmd.Long, cmd.Short)))
		flags := false
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			if !flags {
				flags = true
				b.WriteString("\n| Flag | |\n|---|---|\n")
			}
			fmt.Fprintf(b, "| %s | %s |\n", flagName(f), flagText(f))
		})
	}
	for _, sub := range cmd.Commands() {
		if cmd.Name() == "completion" { // cobra's own words, on every shell there is
			fmt.Fprintf(b, "\n    %s\n", usage(sub))
			continue
		}
		describe(b, sub)
	}
}

func flagName(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	text := "--" + f.Name
	if f.Shorthand != "" {
		text = "-" + f.Shorthand + ", " + text
	}
	if name != "" {
		text += " " + strings.ToUpper(name)
	}
	return "`" + text + "`"
}

func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0s" {
		text += "; " + f.DefValue + " unless given"
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func sentence(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n  ", "\n    ") // an example
	if last := text[len(text)-1]; last != '.' && last != '"' {
		text += "."
	}
	return text
}
