package functiontest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/runtime/function"
)

func echo(t *testing.T, p *Project) {
	p.Put(t)
	for _, value := range []string{`null`, `true`, `-1.5`, `"grüße, 世界 \u2028 \"\\"`, `[]`, `{"a":[{"b":{}}]}`, `"` + strings.Repeat("x", 1<<20) + `"`} {
		out := p.Invoke(t, `{"do":"echo","value":`+value+`}`)
		if got, want := compact(out.Payload), compact([]byte(value)); out.FunctionError != "" || got != want {
			t.Fatalf("sent %.80s, got %s %.200s", want, out.FunctionError, got)
		}
	}
	first := p.Want(t, `{"do":"version"}`, `"1"`)
	if first.InitDuration != 0 {
		t.Errorf("a warm event reports an init duration of %v", first.InitDuration)
	}
	if _, err := p.Manager.Get("sample"); err != nil {
		t.Error(err)
	}
}

func thrown(t *testing.T, p *Project) {
	p.Put(t)
	for range 2 {
		_, typ, message := p.Fails(t, `{"do":"throw"}`)
		if message != "boom" || typ != p.Sample.ErrorType {
			t.Fatalf("the error body says %s: %s, want %s: boom", typ, message, p.Sample.ErrorType)
		}
	}
	p.Want(t, `{"do":"version"}`, `"1"`)
	if i, _ := p.Manager.Get("sample"); i.Idle != 1 {
		t.Errorf("%d sandboxes are idle, want the one that was used for all", i.Idle)
	}
}

func timeout(t *testing.T, p *Project) {
	p.Function.Timeout = 1
	p.Put(t)
	out, typ, message := p.Fails(t, `{"do":"sleep"}`)
	if want := "RequestId: " + out.RequestID + " Error: Task timed out after 1.00 seconds"; typ != "Sandbox.Timedout" || message != want {
		t.Fatalf("the error body says %s: %s, want Sandbox.Timedout: %s", typ, message, want)
	}
	if tail := string(out.LogTail); !strings.Contains(tail, out.RequestID+" Task timed out after 1.00 seconds") {
		t.Errorf("the log does not say that it timed out: %s", tail)
	}
	p.Want(t, `{"do":"version"}`, `"1"`)
}

func exit(t *testing.T, p *Project) {
	p.Put(t)
	out, typ, message := p.Fails(t, `{"do":"exit"}`)
	if want := "RequestId: " + out.RequestID + " Error: Runtime exited with error: exit status 1"; typ != "Runtime.ExitError" || message != want {
		t.Fatalf("the error body says %s: %s, want Runtime.ExitError: %s", typ, message, want)
	}
	p.Want(t, `{"do":"version"}`, `"1"`)
}

func badInit(t *testing.T, p *Project) {
	if p.Sample.BadInit == nil {
		t.Fatal("the sample has no BadInit")
	}
	p.Save(t, "1", p.Sample.BadInit)
	_ = p.Manager.Put(t.Context(), p.Function) // an engine that keeps no warm sandbox finds out later
	for range 2 {
		out, typ, message := p.Fails(t, `{"do":"version"}`)
		if out.Build || typ == "" || message == "" {
			t.Fatalf("answered %s: %s (build error: %v), want the reason why it does not load", typ, message, out.Build)
		}
	}
	if i, _ := p.Manager.Get("sample"); i.State != "failed" || i.Reason == "" {
		t.Errorf("the function is %q because of %q, want failed with a reason", i.State, i.Reason)
	}
	p.Save(t, "2")
	p.Want(t, `{"do":"version"}`, `"2"`)
}

func environment(t *testing.T, p *Project) {
	t.Setenv("AWS_ACCESS_KEY_ID", "the developer's own")
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("SECRET", "of the shell")
	p.Put(t)
	for name, want := range map[string]string{
		"COLOUR":                          `"green"`,
		"AWS_REGION":                      `"us-east-1"`,
		"AWS_LAMBDA_FUNCTION_NAME":        `"sample"`,
		"AWS_LAMBDA_FUNCTION_VERSION":     `"$LATEST"`,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": `"128"`,
		"AWS_LAMBDA_LOG_GROUP_NAME":       `"/aws/lambda/sample"`,
		"TZ":                              `":UTC"`,
		"AWS_ACCESS_KEY_ID":               `""`,
		"AWS_PROFILE":                     `""`,
		"SECRET":                          `""`,
	} {
		p.Want(t, fmt.Sprintf(`{"do":"env","name":%q}`, name), want)
	}
}

func logs(t *testing.T, p *Project) {
	p.Put(t)
	for i := range 20 {
		line := fmt.Sprintf("line %d of the log", i)
		out := p.Want(t, fmt.Sprintf(`{"do":"log","line":%q}`, line), `null`)
		lines := p.Lines(out.RequestID)
		has := func(text string) bool { return strings.Contains(text, line) }
		if len(lines) != 4 || !has(lines[1]) {
			t.Fatalf("the request's log is %q, want START, the line, END and REPORT", lines)
		}
		if !slices.ContainsFunc(strings.Split(string(out.LogTail), "\n"), has) {
			t.Fatalf("the tail of the log lacks %q: %s", line, out.LogTail)
		}
	}
	out := p.Want(t, `{"do":"version"}`, `"1"`)
	want := regexp.MustCompile(`^START RequestId: ` + out.RequestID + ` Version: \$LATEST
END RequestId: ` + out.RequestID + `
REPORT RequestId: ` + out.RequestID + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB(\tMax Memory Used: \d+ MB)?\t
$`)
	if !want.Match(out.LogTail) {
		t.Errorf("the tail is %q", out.LogTail)
	}
}

func saved(t *testing.T, p *Project) {
	p.Put(t)
	for _, version := range []string{"2", "3", "4", "5"} {
		p.Save(t, version)
		p.Want(t, `{"do":"version"}`, quote(version))
	}
}

func broken(t *testing.T, p *Project) {
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	for _, version := range []string{"2", "3"} {
		p.Save(t, version, p.Sample.Broken)
		out, typ, message := p.Fails(t, `{"do":"version"}`)
		if message == "" || !p.Sample.NoBuild && (!out.Build || typ != "Runtime.BuildError") {
			t.Fatalf("a syntax error answers %s: %q (build error: %v)", typ, message, out.Build)
		}
		p.Save(t, version)
		p.Want(t, `{"do":"version"}`, quote(version))
	}
}

// hundred sends events that wait, and returns once each has a sandbox and none has been answered.
func hundred(t *testing.T, p *Project) {
	n := cmp.Or(p.Sample.Parallel, 100)
	p.Function.Timeout = 900
	p.Put(t)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(`{"do":"sleep"}`)})
			if err != function.ErrClosed {
				t.Errorf("an event that sleeps was answered %+v, %v", out, err)
			}
		})
	}
	for p.began() < n && !t.Failed() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.Manager.Remove("sample"); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// began counts the events that a sandbox was given.
func (p *Project) began() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if strings.HasPrefix(l.Text, "START ") {
			n++
		}
	}
	return n
}

func parallel(t *testing.T, p *Project) {
	p.Put(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				value := fmt.Sprint(i*100 + n)
				out := p.Invoke(t, `{"do":"echo","value":`+value+`}`)
				if compact(out.Payload) != value {
					t.Errorf("sent %s, got %s %s", value, out.FunctionError, out.Payload)
				}
			}
		})
	}
	wg.Wait()
}
