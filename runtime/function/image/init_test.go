package image_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/image"
)

// until waits for what happens beside the test.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for !done() {
		select {
		case <-t.Context().Done():
			t.Fatal(what + " did not happen")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// extended is a project whose image has extensions.
func extended(t *testing.T, names ...string) *functiontest.Project {
	t.Helper()
	p := project(t)
	text := dockerfile
	for _, name := range names {
		text += "COPY --from=" + baseName + " /sample /opt/extensions/" + name + "\n"
	}
	write(t, filepath.Join(p.Dir, "Dockerfile"), text)
	return p
}

func TestAnExtensionOfTheImage(t *testing.T) {
	p := extended(t, "plain", "other")
	p.Function.Handler = "app.handler"
	p.Put(t)
	out := p.Want(t, `{"do":"log","line":"a line"}`, `null`)
	until(t, "the event", func() bool {
		all := p.Lines("")
		return slices.Contains(all, "plain sees INVOKE") && slices.Contains(all, "other sees INVOKE")
	})
	if lines := p.Lines(out.RequestID); len(lines) < 2 || lines[1] != "a line" {
		t.Errorf("the request's log is %q", lines)
	}
	if err := p.Manager.Close(); err != nil {
		t.Error(err)
	}
	all := p.Lines("")
	for _, want := range []string{
		"plain registered, with handler  and colour green", "plain sees SHUTDOWN", "other sees SHUTDOWN",
		"EXTENSION\tName: plain\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("the log lacks %q: %q", want, all)
		}
	}
}

func TestTelemetryOfAContainer(t *testing.T) {
	p := extended(t, "telemetry")
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	until(t, "telemetry of the event", func() bool { return slices.Contains(p.Lines(""), "told of platform.start") })
}

func TestExtensionsOfTheImageThatFail(t *testing.T) {
	for _, tt := range []struct{ name, extension, event, typ, message string }{
		{"one that ends before it registers", "COPY --from=" + baseName + " /sample /opt/extensions/early", `{"do":"version"}`, "Extension.Crash", "exit code 2"},
		{"one that ends during an event", "COPY --from=" + baseName + " /sample /opt/extensions/crash", `{"do":"sleep"}`, "Extension.Crash", "exit code 3"},
		{"one that cannot be executed", "COPY version /opt/extensions/text", `{"do":"version"}`, "Extension.LaunchError", "permission denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t)
			write(t, filepath.Join(p.Dir, "Dockerfile"), dockerfile+tt.extension+"\n")
			_ = p.Manager.Put(t.Context(), p.Function)
			if _, typ, message := p.Fails(t, tt.event); typ != tt.typ || !strings.Contains(message, tt.message) {
				t.Errorf("answered %s: %s, want %s: %s", typ, message, tt.typ, tt.message)
			}
		})
	}
}

func TestWhatAnInitDoes(t *testing.T) {
	p := project(t)
	write(t, filepath.Join(p.Dir, "Dockerfile"), dockerfile+"COPY --from="+baseName+" /sample /bin/by-name\nUSER 1000:1000\nENTRYPOINT [\"by-name\"]\nWORKDIR /var/task\n")
	p.Put(t)
	for _, tt := range []struct{ name, event, want string }{
		{"programs are looked up in PATH", `{"do":"version"}`, `"1"`},
		{"programs are the image's user's", `{"do":"uid"}`, `1000`},
		{"programs start in the image's working directory", `{"do":"dir"}`, `"/var/task"`},
		{"orphans are reaped", `{"do":"orphan"}`, `0`},
		{"nothing of the init's is in the environment", `{"do":"env","name":"DEVSTACK_OWNER"}`, `""`},
	} {
		t.Run(tt.name, func(t *testing.T) { p.Want(t, tt.event, tt.want) })
	}
	out := p.Want(t, `{"do":"flood"}`, `null`)
	lines := p.Lines(out.RequestID)
	if len(lines) != 5003 || lines[1] != "flood 0" || lines[5000] != "flood 4999" {
		t.Errorf("of 5000 lines and three others there are %d", len(lines))
	}
	if last := lines[len(lines)-1]; !regexp.MustCompile(`\tMax Memory Used: [1-9]\d* MB`).MatchString(last) {
		t.Errorf("it does not say how much memory was used: %s", last)
	}
}

func TestEndsOfARuntimeInAContainer(t *testing.T) {
	both(t, func(t *testing.T, p *functiontest.Project) {
		p.Put(t)
		wanted := map[string]string{`{"do":"exit"}`: "exit status 1"}
		if t.Name() == "TestEndsOfARuntimeInAContainer/with_an_init" { // the first process of a container survives what it sends itself
			wanted[`{"do":"signal"}`] = "signal: terminated"
		}
		for event, want := range wanted {
			out, typ, message := p.Fails(t, event)
			if typ != "Runtime.ExitError" || message != "RequestId: "+out.RequestID+" Error: Runtime exited with error: "+want {
				t.Errorf("%s answered %s: %s, want %s", event, typ, message, want)
			}
		}
		p.Function.Timeout = 1
		p.Put(t)
		if _, typ, _ := p.Fails(t, `{"do":"sleep"}`); typ != "Sandbox.Timedout" {
			t.Errorf("answered %s", typ)
		}
		p.Want(t, `{"do":"version"}`, `"1"`)
	})
}

func TestAProgramThatIsInNoFolderOfPath(t *testing.T) {
	p := project(t)
	write(t, filepath.Join(p.Dir, "Dockerfile"), dockerfile+"ENTRYPOINT [\"nowhere\"]\n")
	_ = p.Manager.Put(t.Context(), p.Function)
	out, typ, message := p.Fails(t, `{"do":"version"}`)
	if want := "RequestId: " + out.RequestID + ` Error: exec: "nowhere": executable file not found in $PATH`; typ != "Runtime.InvalidEntrypoint" || message != want {
		t.Errorf("answered %s: %s, want %s", typ, message, want)
	}
}

// A container that somebody else kills has ended by that, and the next event has another.
func TestAContainerThatIsKilledFromOutside(t *testing.T) {
	c := needDocker(t)
	both(t, func(t *testing.T, p *functiontest.Project) {
		p.Put(t)
		kill := func() {
			for _, one := range containers(t, c, engineDir) {
				if err := c.ContainerKill(context.Background(), one.ID, "KILL"); err != nil {
					t.Error(err)
				}
			}
		}
		p.Want(t, `{"do":"version"}`, `"1"`)
		go func() {
			for !slices.Contains(p.Lines("killed"), "hanging") {
				time.Sleep(5 * time.Millisecond)
			}
			kill()
		}()
		out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{RequestID: "killed", Payload: []byte(`{"do":"hang"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out.Payload), "Runtime exited with error: signal: killed") {
			t.Errorf("answered %s", out.Payload)
		}
		p.Want(t, `{"do":"version"}`, `"1"`)
		kill()
		p.Want(t, `{"do":"version"}`, `"1"`)
	})
}

// Without an init a line may come late, but it comes, and to its request.
func TestWithoutAnInit(t *testing.T) {
	p := functiontest.NewProject(t, withoutInit(t), sample, false)
	p.Put(t)
	for i := range 5 {
		line := fmt.Sprintf("line %d", i)
		out := p.Want(t, fmt.Sprintf(`{"do":"log","line":%q}`, line), `null`)
		until(t, "the line", func() bool { return slices.Contains(p.Lines(out.RequestID), line) })
	}
}

// An init that the engine cannot run, for what reason ever, is done without.
func TestAnInitThatCannotRun(t *testing.T) {
	base.need(t)
	program, err := os.ReadFile(filepath.Join(base.dir, "init"))
	if err != nil {
		t.Fatal(err)
	}
	program[18] ^= 0xff // e_machine, https://man7.org/linux/man-pages/man5/elf.5.html
	foreign := filepath.Join(t.TempDir(), "init")
	if err := os.WriteFile(foreign, program, 0o755); err != nil {
		t.Fatal(err)
	}
	p := functiontest.NewProject(t, engineWith(t, foreign), sample, false)
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	p.Save(t, "2")
	p.Want(t, `{"do":"version"}`, `"2"`)
}

func TestWhatCanBeAnInit(t *testing.T) {
	base.need(t)
	dir := t.TempDir()
	program, err := os.ReadFile(filepath.Join(base.dir, "init"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"script": []byte("#!/bin/sh\n" + strings.Repeat("true\n", 100)), "private": program} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "script"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(base.dir, "init"): "",
		filepath.Join(dir, "private"):   "may not be executed by everybody",
		filepath.Join(dir, "script"):    "bad magic number",
		filepath.Join(dir, "none"):      "no such file",
	} {
		err := image.RunsAnywhere(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
