//go:build linux

package python_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/python"
)

// The test binary is also a daemon that a test kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PYTHON_TEST_DAEMON"); dir != "" {
		daemon(dir)
	}
	os.Exit(m.Run())
}

// daemon starts the function in dir, prints what it answers and waits.
func daemon(dir string) {
	engine := python.New(python.Options{Clock: clock.System()})
	fn := &config.Function{Name: "f", Runtime: "python3.12", Source: dir, Timeout: 20, Memory: 128}
	m := function.NewManager(function.Config{
		Engines: func(string) function.Engine { return engine }, Clock: clock.System(),
		Env: func(*config.Function) []string { return nil }, Log: func(function.Line) {},
	})
	var err error
	if err = m.Put(context.Background(), fn); err == nil {
		var out *function.Outcome
		if out, err = m.Invoke(context.Background(), "f", function.Invocation{}); err == nil {
			fmt.Println(string(out.Payload))
			select {}
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

func TestNothingOutlivesAKilledDaemon(t *testing.T) {
	needsPython(t)
	dir := t.TempDir()
	source := "import os\ndef lambda_handler(e, c):\n    return '%d %d' % (os.getpid(), os.getppid())\n"
	if err := os.WriteFile(filepath.Join(dir, "lambda_function.py"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PYTHON_TEST_DAEMON="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var sandbox, server int
	if n, err := fmt.Sscanf(strings.Trim(line, "\"\n"), "%d %d", &sandbox, &server); n != 2 || server == cmd.Process.Pid {
		t.Fatalf("the daemon says %q (%v)", line, err)
	}
	cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	for _, pid := range []int{sandbox, server} {
		for tries := 0; syscall.Kill(pid, 0) == nil; tries++ {
			if tries > 500 {
				t.Fatalf("process %d outlives the daemon", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}
