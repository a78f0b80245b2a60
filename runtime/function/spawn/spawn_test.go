//go:build unix

package spawn_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"devstack/runtime/function/spawn"
)

// TestMain is also a daemon to be killed: it starts a child, tells its number, and waits.
func TestMain(m *testing.M) {
	if os.Getenv("SPAWN_TEST_DAEMON") != "" {
		p, err := spawn.Start(spawn.Spec{Path: "/bin/sleep", Args: []string{"60"}})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.Pid())
		select {}
	}
	os.Exit(m.Run())
}

// lines collects what a process prints.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

func (l *lines) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

func shell(t *testing.T, script string, change ...func(*spawn.Spec)) (*spawn.Process, *lines) {
	t.Helper()
	l := &lines{}
	spec := spawn.Spec{Path: "/bin/sh", Args: []string{"-c", script}, Dir: t.TempDir(), Env: []string{"PATH=/usr/bin:/bin", "A=b"}, Line: l.add}
	for _, c := range change {
		c(&spec)
	}
	p, err := spawn.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p, l
}

// waiting starts a shell that reads a line before it does anything, and returns what lets it go.
func waiting(t *testing.T, script string) (p *spawn.Process, l *lines, run func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, l = shell(t, "read go; "+script, func(s *spawn.Spec) { s.Stdin = r })
	return p, l, func() {
		if _, err := w.WriteString("go\n"); err != nil {
			t.Error(err)
		}
		w.Close()
	}
}

func TestOutput(t *testing.T) {
	long := strings.Repeat("x", 3<<19) // 1.5 MiB
	for _, tt := range []struct {
		name, script string
		want         []string
	}{
		{"lines of both outputs in order", "echo one; echo two >&2; echo three", []string{"one", "two", "three"}},
		{"an empty line and one without an end", `printf 'a\n\nb'`, []string{"a", "", "b"}},
		{"carriage returns", `printf 'a\r\nb\r\n'`, []string{"a", "b"}},
		{"its own environment alone", "echo $A $HOME", []string{"b"}},
		{"a line longer than a log event", "head -c 1572864 /dev/zero | tr '\\0' x", []string{long[:1<<20], long[1<<20:]}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, l := shell(t, tt.script)
			<-p.Done()
			got := l.get()
			if tt.name == "a line longer than a log event" {
				if len(strings.Join(got, "")) != len(long) || len(got) < 2 {
					t.Fatalf("%d lines of %d bytes together", len(got), len(strings.Join(got, "")))
				}
				return
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFlushDeliversWhatWasPrintedBefore(t *testing.T) {
	for range 50 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, l := shell(t, "echo printed; echo >&3; exec sleep 60", func(s *spawn.Spec) { s.Extra = []*os.File{w} })
		w.Close()
		if _, err := r.Read(make([]byte, 1)); err != nil { // the process has printed
			t.Fatal(err)
		}
		p.Flush()
		if got := l.get(); !slices.Equal(got, []string{"printed"}) {
			t.Fatalf("after the flush there is %q", got)
		}
		r.Close()
		p.Kill()
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"exit 0", ""},
		{"exit 3", "exit status 3"},
		{"kill -9 $$", "signal: killed"},
	} {
		p, _ := shell(t, tt.script)
		<-p.Done()
		if p.Status() != tt.want {
			t.Errorf("%s: %q, want %q", tt.script, p.Status(), tt.want)
		}
	}
}

func TestTheWholeGroupEnds(t *testing.T) {
	for _, how := range []string{"kill", "exit"} {
		t.Run(how, func(t *testing.T) {
			script := "sleep 60 & echo $!; wait"
			if how == "exit" {
				script = "sleep 60 & echo $!"
			}
			p, l := shell(t, script)
			if how == "kill" {
				eventually(t, func() bool { return len(l.get()) == 1 })
				p.Kill()
			}
			<-p.Done()
			pid, err := strconv.Atoi(l.get()[0])
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return !alive(pid) })
		})
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"text": 0o755, "forbidden": 0o644} {
		if err := os.WriteFile(dir+"/"+name, []byte("hello"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, want string }{
		{"text", "is not a program for this machine"},
		{"forbidden", "chmod +x"},
		{"missing", "no such file or directory"},
	} {
		_, err := spawn.Start(spawn.Spec{Path: dir + "/" + tt.name})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// keeper is a watchdog that writes down.
type keeper struct{ added, removed int }

func (k *keeper) Env() string { return "MARK=1" }

func (k *keeper) AddGroup(pgid int) (remove func(), err error) {
	k.added = pgid
	return func() { k.removed = pgid }, nil
}

func TestTheKeeperKnowsEachGroup(t *testing.T) {
	var k keeper
	p, l := shell(t, "echo $MARK", func(s *spawn.Spec) { s.Keep = &k })
	<-p.Done()
	if k.added != p.Pid() || k.removed != p.Pid() || !slices.Equal(l.get(), []string{"1"}) {
		t.Errorf("added %d, removed %d, want %d; printed %q", k.added, k.removed, p.Pid(), l.get())
	}
}

// alive reports whether a process runs. One that has ended and was not waited for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
