package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/logs"
	"devstack/runtime/plan"
	"devstack/runtime/process/reap"
	"devstack/runtime/supervise"
)

// The test binary is also the watchdog, the daemon that the tests kill, and the services.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case reap.Verb:
			reap.Main(os.Stdin, nil)
			return
		case "daemon":
			daemon()
			return
		case "serve":
			serve()
			return
		case "deaf":
			signal.Ignore(syscall.SIGTERM)
			serve()
			return
		}
	}
	os.Exit(m.Run())
}

// daemon runs a shell that runs a server, tells their numbers, and waits to be killed.
func daemon() {
	self, _ := os.Executable()
	dir, _ := os.Getwd()
	r := New(Config{Watchdog: reap.New(""), Logs: logs.New("", logs.Options{}), Temp: filepath.Join(dir, "temp")})
	s := command("sh", "-c", self+" serve & echo $! > child; wait")
	s.Dir = dir
	inst, err := r.Start(context.Background(), s)
	if err == nil {
		err = inst.Ready(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	child, _ := os.ReadFile(filepath.Join(s.Dir, "child"))
	fmt.Printf("%d %s", inst.(*instance).Pid(), child)
	select {}
}

// serve answers with its environment, after a while if the path says so.
func serve() {
	fmt.Println("going to listen")
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, strings.Join(os.Environ(), "\n"))
	}))
}

func command(words ...string) *config.Service {
	s := &config.Service{Command: words, Dir: os.TempDir(), Replicas: 1, Environment: map[string]string{}}
	s.ID = config.ID{Type: "service", Name: "catalog"}
	return s
}

// self is a service that is this test binary.
func self(t *testing.T, word string) *config.Service {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return command(path, word)
}

func runner(t *testing.T) (*Runner, *logs.Hub) {
	hub := logs.New("", logs.Options{})
	w := reap.New("")
	t.Cleanup(w.Close)
	given := func(*config.Service) map[string]string {
		return map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
	}
	return New(Config{Watchdog: w, Logs: hub, Env: given}), hub
}

func start(t *testing.T, r *Runner, s *config.Service) *instance {
	t.Helper()
	inst, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inst.(*instance).Kill)
	return inst.(*instance)
}

func TestServiceRunsAndStops(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "real")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "real")
	t.Setenv("HTTP_PROXY", "http://proxy.example.com:3128")
	r, hub := runner(t)
	s := self(t, "serve")
	s.Environment["TABLE"] = "orders"
	inst := start(t, r, s)
	if err := inst.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(inst.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	env := strings.Split(string(body), "\n")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inst.URL(), "http://"))
	for _, want := range []string{"TABLE=orders", "AWS_ENDPOINT_URL=http://127.0.0.1:4566", "PORT=" + port, "PATH=" + os.Getenv("PATH"),
		"NO_PROXY=" + strings.TrimPrefix(os.Getenv("NO_PROXY")+",127.0.0.1,localhost", ",")} {
		if !slices.Contains(env, want) {
			t.Errorf("its environment lacks %s", want)
		}
	}
	if strings.Contains(string(body), "real") {
		t.Error("it has real credentials")
	}
	if err := inst.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := inst.Err(); err == nil || err.Error() != "killed by signal 15 (terminated)" {
		t.Errorf("ended: %v", err)
	}
	if lines := hub.Tail("service.catalog", 5); len(lines) != 1 || lines[0].Text != "going to listen" || lines[0].Stream != "stdout" {
		t.Errorf("its log is %+v", lines)
	}
}

func TestDeafServiceIsKilled(t *testing.T) {
	r, _ := runner(t)
	inst := start(t, r, self(t, "deaf"))
	if err := inst.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	inst.Stop(ctx)
	if err := inst.Err(); err == nil || err.Error() != "killed by signal 9 (killed)" {
		t.Errorf("ended: %v", err)
	}
}

func TestGroupEndsWithItsLeader(t *testing.T) {
	r, hub := runner(t)
	inst := start(t, r, command("sh", "-c", "sleep 1000 & echo $!; exit 3"))
	<-inst.Done()
	if err := inst.Err(); err == nil || err.Error() != "exited with status 3" {
		t.Errorf("ended: %v", err)
	}
	pid, err := strconv.Atoi(hub.Tail("service.catalog", 1)[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

// The go command leaves what it has made when it is killed, and when it is asked to end by SIGTERM.
func TestWhatGoRunBuildsGoesWithTheService(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil && os.Getenv("CI") == "" {
		t.Skip("the go command is not in PATH")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":  "module sample\n",
		"main.go": "package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	temp := filepath.Join(dir, "temp")
	built := func() []string {
		found, err := filepath.Glob(filepath.Join(temp, "*", "go-build*", "*", "exe", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	r, _ := runner(t)
	r = New(Config{Watchdog: r.conf.Watchdog, Logs: r.conf.Logs, Temp: temp})
	for name, end := range map[string]func(*instance){
		"stopped": func(i *instance) { i.Stop(t.Context()) },
		"killed":  func(i *instance) { i.Kill() },
	} {
		s := command("go", "run", ".")
		s.Dir = dir
		inst := start(t, r, s)
		for len(built()) == 0 {
			select {
			case <-inst.Done():
				t.Fatalf("it has ended: %v", inst.Err())
			case <-t.Context().Done():
				t.Fatal("nothing was built")
			case <-time.After(5 * time.Millisecond):
			}
		}
		end(inst)
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%s, it leaves %q", name, left)
		}
	}
	killed := filepath.Join(temp, "of-a-daemon-that-was-killed")
	if err := os.MkdirAll(filepath.Join(killed, "go-build1"), 0o755); err != nil {
		t.Fatal(err)
	}
	New(Config{Temp: temp})
	if _, err := os.Stat(killed); err == nil {
		t.Error("the next daemon does not remove what was left")
	}
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for syscall.Kill(pid, 0) == nil && !zombie(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// zombie reports whether a process is dead but for its parent's attention: an orphan's may never come in a container.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestNotReady(t *testing.T) {
	for _, tt := range []struct {
		name   string
		s      *config.Service
		health string
		want   string
	}{
		{"a service that ends before it is ready", command("sh", "-c", "echo sorry >&2; exit 4"), "/", "exited with status 4 before it was ready"},
		{"one that ends in peace before it is ready", command("true"), "", "exited with status 0 before it was ready"},
		{"one that is not well", self(t, "serve"), "/never", "/never answered 500 Internal Server Error"},
		{"one that does not listen", command("sleep", "1000"), "", "nothing accepts connections on 127.0.0.1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := runner(t)
			tt.s.Health = tt.health
			inst := start(t, r, tt.s)
			if tt.health == "/never" {
				waitListening(t, inst)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := inst.Ready(ctx); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// waitListening waits for an instance that has been started to accept connections.
func waitListening(t *testing.T, inst supervise.Instance) {
	t.Helper()
	u, err := url.Parse(inst.URL())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", u.Host)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"text": 0o644, "binary": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("nonsense\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		name string
		edit func(*config.Service)
		want string
	}{
		{"a name that is not in PATH", func(s *config.Service) { s.Command = []string{"no-such-program"} },
			`command "no-such-program" was not found in PATH`},
		{"a path that does not exist", func(s *config.Service) { s.Command = []string{"./gone"} }, "command " + dir + "/gone does not exist"},
		{"a file that is not executable", func(s *config.Service) { s.Command = []string{"./text"} },
			"command " + dir + "/text is not executable: chmod +x it"},
		{"a file that is no program", func(s *config.Service) { s.Command = []string{"./binary"} }, "/binary is not a program for this machine"},
		{"a script without its interpreter", func(s *config.Service) { s.Command = []string{"./script"} },
			"/script needs an interpreter that does not exist"},
		{"a folder", func(s *config.Service) { s.Command = []string{"../"} }, "is a folder"},
		{"no working directory", func(s *config.Service) { s.Dir = dir + "/gone" }, "the working directory " + dir + "/gone does not exist"},
		{"a port in use", func(s *config.Service) { s.Port = port }, fmt.Sprintf("port %d is in use by another program", port)},
		{"replicas on one port", func(s *config.Service) { s.Port, s.Replicas = 18099, 2 }, "2 replicas cannot all listen on port 18099"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := runner(t)
			s := command("true")
			s.Dir = dir
			tt.edit(s)
			if _, err := r.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %q", err, tt.want)
			}
		})
	}
}

func TestKilledDaemonLeavesNoService(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := exec.Command(path, "daemon")
	d.Dir = t.TempDir()
	out, err := d.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	d.Process.Kill()
	d.Wait()
	pids := strings.Fields(line)
	if len(pids) != 2 {
		t.Fatalf("the daemon says %q", line)
	}
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		waitGone(t, pid)
	}
}

// A supervisor with the real Runner: what a daemon has.
func TestCrashIsSeenAndMended(t *testing.T) {
	r, hub := runner(t)
	sup := supervise.New(supervise.Config{Runners: map[string]supervise.Runner{"service": r}, Logs: hub})
	s := self(t, "serve")
	if err := sup.Apply(t.Context(), create(s)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	statuses := sup.Subscribe(ctx)
	<-statuses
	pid := serving(t, s.Command[0])
	syscall.Kill(pid, syscall.SIGKILL)
	restarted := false
	for status := range statuses {
		if status.Restarts == 1 && status.State == supervise.Ready {
			restarted = true
			cancel()
		}
	}
	if !restarted {
		t.Error("it was not restarted")
	}
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	broken := command("sh", "-c", "echo cannot go on >&2; exit 1")
	sup = supervise.New(supervise.Config{Runners: map[string]supervise.Runner{"service": r}, Logs: hub})
	err := sup.Apply(t.Context(), create(broken))
	var failed *supervise.NotReadyError
	if !errors.As(err, &failed) || !slices.Equal(failed.Tail, []string{"cannot go on"}) {
		t.Errorf("Apply: %v", err)
	}
	sup.Stop(context.Background())
}

func create(s *config.Service) []plan.Step {
	return []plan.Step{{Action: plan.Create, ID: s.ID, New: s}}
}

// serving returns the child that runs "path serve".
func serving(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("needs /proc")
		}
		t.Skip("needs /proc")
	}
	for _, e := range entries {
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if pid, err := strconv.Atoi(e.Name()); err == nil && string(line) == path+"\x00serve\x00" {
			return pid
		}
	}
	t.Fatal("the service does not run")
	return 0
}
