package python_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"devstack/internal/clock"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/python"
)

func newEngine(t *testing.T) function.Engine {
	needsPython(t)
	return python.New(python.Options{Clock: clock.System(), Cache: t.TempDir()})
}

func needsPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip("python3 is not in PATH")
}

const body = `
import os, sys, time

def handler(event, context):
    do = event["do"]
    if do == "version":
        return number
    if do == "echo":
        return event["value"]
    if do == "throw":
        raise RuntimeError("boom")
    if do == "sleep":
        time.sleep(60)
    if do == "exit":
        sys.exit(1)
    if do == "env":
        return os.environ.get(event["name"], "")
    if do == "log":
        print(event["line"])
`

func TestPython(t *testing.T) {
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "python3.12",
		Handler: "src/app.handler",
		Files: func(version string) map[string]string {
			return map[string]string{
				"src/app.py":         "from src.lib.version import number\n" + body,
				"src/lib/version.py": fmt.Sprintf("number = %q\n", version),
			}
		},
		Broken:    map[string]string{"src/lib/version.py": "number = \n"},
		BadInit:   map[string]string{"src/lib/version.py": "number = 0\nraise RuntimeError('bad init')\n"},
		ErrorType: "RuntimeError",
		Races:     200,
	})
}
