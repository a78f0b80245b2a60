package spawn_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestAChildDoesNotOutliveTheDaemon(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(self)
	daemon.Env = []string{"SPAWN_TEST_DAEMON=1"}
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || !alive(pid) {
		t.Fatalf("the daemon says %q", line)
	}
	daemon.Process.Kill()
	_ = daemon.Wait() // it was killed
	eventually(t, func() bool { return !alive(pid) })
}

func TestMaxMemory(t *testing.T) {
	p, l := shell(t, "echo ready; exec sleep 60")
	eventually(t, func() bool { return len(l.get()) == 1 })
	if got := p.MaxMemory(); got < 100<<10 || got > 1<<30 {
		t.Errorf("a shell holds %d bytes", got)
	}
}
