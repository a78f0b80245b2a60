package reap

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is also the daemon and the watchdog that the tests kill.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == Verb:
		Main(os.Stdin, map[string]Killer{"file": func(_ context.Context, what string) error { return os.Remove(what) }})
	case len(os.Args) > 2 && os.Args[1] == "daemon":
		daemon(os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

// daemon starts a child that has a grandchild in its own group and another in a session of its own, adds a file, tells
// the children's numbers and waits to be killed.
func daemon(dir string) {
	w := New(dir)
	w.Sweep()
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait")
	cmd.Env = append(os.Environ(), w.Env())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	if _, err := w.AddGroup(cmd.Process.Pid); err != nil {
		panic(err)
	}
	if _, err := w.Add("file", filepath.Join(dir, "thing")); err != nil {
		panic(err)
	}
	fmt.Println(cmd.Process.Pid)
	fmt.Println("watchdog", watchdogPid())
	select {}
}

// watchdogPid finds the daemon's child that is the watchdog.
func watchdogPid() int {
	found := 0
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) && strings.Contains(string(line), Verb) {
			found = pid
		}
	}
	return found
}

// running starts the daemon and returns it, its three descendants and its watchdog.
func running(t *testing.T, dir string) (d *exec.Cmd, pids []int, watchdog int) {
	t.Helper()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("needs /proc")
		}
		t.Skip("needs /proc")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d = exec.Command(self, "daemon", dir)
	out, err := d.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Process.Kill(); d.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "watchdog "); ok {
			watchdog, err = strconv.Atoi(text)
			if err != nil || watchdog == 0 {
				t.Fatalf("no watchdog: %q", text)
			}
			return d, pids, watchdog
		}
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	t.Fatal("the daemon ended")
	return nil, nil, 0
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func waitGone(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d outlives the daemon", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestKilledDaemonLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	thing := filepath.Join(dir, "thing")
	if err := os.WriteFile(thing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, pids, watchdog := running(t, dir)
	if len(pids) != 3 {
		t.Fatalf("descendants %v, want 3", pids)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("process %d does not run", pid)
		}
	}
	killed := time.Now()
	d.Process.Kill()
	d.Wait()
	waitGone(t, append(pids, watchdog))
	t.Logf("gone %v after the kill", time.Since(killed))
	if _, err := os.Stat(thing); err == nil {
		t.Error("what another Killer should have ended is still there")
	}
}

func TestDaemonAndWatchdogKilledTogetherAreSweptByTheNext(t *testing.T) {
	dir := t.TempDir()
	d, pids, watchdog := running(t, dir)
	syscall.Kill(watchdog, syscall.SIGSTOP) // so that it cannot act before it is killed
	d.Process.Kill()
	syscall.Kill(watchdog, syscall.SIGKILL)
	d.Wait()
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("process %d is gone, but nobody was left to kill it", pid)
		}
	}
	if n := New(dir).Sweep(); n != 3 {
		t.Errorf("swept %d processes, want 3", n)
	}
	waitGone(t, pids)
	if n := New(dir).Sweep(); n != 0 {
		t.Errorf("a second sweep found %d", n)
	}
}

func TestRemovedIsLeftAlone(t *testing.T) {
	w := New(t.TempDir())
	kept, ended := filepath.Join(t.TempDir(), "kept"), filepath.Join(t.TempDir(), "ended")
	for _, f := range []string{kept, ended} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove, err := w.Add("file", kept)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add("file", ended); err != nil {
		t.Fatal(err)
	}
	remove()
	remove()
	w.Close()
	if _, err := os.Stat(kept); err != nil {
		t.Error("removed from the list, and ended all the same")
	}
	if _, err := os.Stat(ended); err == nil {
		t.Error("not ended by Close")
	}
	if _, err := w.Add("file", kept); err == nil {
		t.Error("Add after Close succeeded")
	}
}

func TestKilledWatchdogIsReplaced(t *testing.T) {
	w := New("")
	ended := filepath.Join(t.TempDir(), "ended")
	if err := os.WriteFile(ended, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add("file", ended); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	gone := w.gone
	w.mu.Unlock()
	syscall.Kill(watchdogPid(), syscall.SIGKILL)
	<-gone
	// The next Add starts another one if the first was too young to be replaced at once, and tells it of the file.
	for {
		if remove, err := w.Add("file", "/nonexistent"); err == nil {
			remove()
			break
		}
	}
	w.Close()
	if _, err := os.Stat(ended); err == nil {
		t.Error("the second watchdog was not told")
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	if _, err := New("", "/nonexistent/devstack").AddGroup(12345); err == nil {
		t.Fatal("no error")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"Owner":"x"}` + "\n" + `{"Kind":"group","What":"1"}` + "\n" + `{"Kind":"group","What":"1","Remove":true}` + "\n")
	f.Add(`{"Kind":"group"`)
	f.Fuzz(func(t *testing.T, in string) { read(strings.NewReader(in)) })
}
