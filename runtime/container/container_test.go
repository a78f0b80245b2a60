package container

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"devstack/runtime/config"
	"devstack/runtime/logs"
	"devstack/runtime/plan"
	"devstack/runtime/process/reap"
	"devstack/runtime/supervise"
)

// The test binary is also the daemon and the watchdog that the tests kill.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == reap.Verb:
		reap.Main(os.Stdin, map[string]reap.Killer{Kind: Reap})
	case len(os.Args) > 2 && os.Args[1] == "daemon":
		daemon(os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

// daemon runs a service and waits to be killed.
func daemon(dir string) {
	w := reap.New(dir)
	e := NewEngine(Config{Stack: "killed", Dir: dir, Watchdog: w, Logs: logs.New("", logs.Options{})})
	inst, err := New(e, nil).Start(context.Background(), service(dir, "/healthz"))
	if err == nil {
		err = inst.Ready(context.Background())
	}
	fmt.Println(err)
	select {}
}

// needEngine leaves a test out where no engine runs, but not on CI.
func needEngine(t *testing.T) *client.Client {
	t.Helper()
	c, err := dial(t.Context())
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// server builds the program in the images, once.
var server = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "devstack-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "server")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(path)
})

// stack is a folder with a Dockerfile and an engine for it.
func stack(t *testing.T) (*Engine, *logs.Hub, string) {
	t.Helper()
	needEngine(t)
	dir := t.TempDir()
	program, err := server()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "server"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\n")
	hub := logs.New("", logs.Options{})
	w := reap.New("")
	e := NewEngine(Config{Stack: "test", Dir: dir, Watchdog: w, Logs: hub})
	t.Cleanup(func() { e.Close(); w.Close() })
	return e, hub, dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func service(dir, health string) *config.Service {
	s := &config.Service{Build: dir, Port: 8080, Health: health, Replicas: 1, Environment: map[string]string{}}
	s.ID = config.ID{Type: "service", Name: "catalog"}
	return s
}

func start(t *testing.T, r *Runner, s *config.Service) supervise.Instance {
	t.Helper()
	inst, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, inst) })
	return inst
}

func stop(t *testing.T, inst supervise.Instance) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := inst.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

// containers lists those of a stack's folder.
func containers(t *testing.T, c *client.Client, dir string) []container.Summary {
	t.Helper()
	found, err := c.ContainerList(context.Background(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", labelDir+"="+dir)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func texts(lines []logs.Line, stream string) []string {
	var all []string
	for _, l := range lines {
		if l.Stream == stream {
			all = append(all, l.Text)
		}
	}
	return all
}

func TestBuildRunCallStop(t *testing.T) {
	e, hub, dir := stack(t)
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(upstream, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from the host") }))
	gateway, err := e.GatewayAddr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(upstream.Addr().String())
	if gateway != "" {
		l, err := net.Listen("tcp", net.JoinHostPort(gateway, port))
		if err != nil {
			t.Fatal(err)
		}
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from the host") }))
		t.Cleanup(func() { l.Close() })
	}
	t.Cleanup(func() { upstream.Close() })

	s := service(dir, "/healthz")
	s.Environment["UPSTREAM"] = "http://127.0.0.1:" + port + "/"
	inst := start(t, New(e, func(*config.Service) map[string]string { return map[string]string{"GIVEN": "yes"} }), s)
	if err := inst.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/env/PORT": "8080", "/env/GIVEN": "yes", "/env/HOME": "/", "/call": "from the host",
	} {
		if got := get(t, inst.URL()+path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	stop(t, inst)
	if err := inst.Err(); err != nil {
		t.Errorf("ended: %v", err)
	}
	if got := texts(hub.Tail("service.catalog", 100), "stdout"); !slices.Equal(got, []string{"listening on 8080", "asked to stop"}) {
		t.Errorf("its log is %q", got)
	}
	if got := strings.Join(texts(hub.Tail("service.catalog", 100), "build"), "\n"); !strings.Contains(got, "COPY server /server") {
		t.Errorf("the build's log is %q", got)
	}
	if left := containers(t, needEngine(t), dir); len(left) != 0 {
		t.Errorf("%d containers are left", len(left))
	}
}

func TestReadyWithoutPathMeansAcceptedAndHeld(t *testing.T) {
	e, _, dir := stack(t)
	if err := start(t, New(e, nil), service(dir, "")).Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Resource: "service.catalog", Image: "devstack/test-service.catalog", Env: []string{"PORT=9999"}, Port: 8081}
	c, err := e.Run(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	inst := &instance{c, ""}
	t.Cleanup(func() { stop(t, inst) })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := inst.Ready(ctx); err == nil {
		t.Error("ready, though nothing listens behind the forwarder")
	}
}

func TestReplicasAreBuiltOnceAndRunSideBySide(t *testing.T) {
	e, hub, dir := stack(t)
	sup := supervise.New(supervise.Config{Runners: map[string]supervise.Runner{"service": New(e, nil)}, Logs: hub})
	s := service(dir, "/healthz")
	s.Replicas = 2
	if err := sup.Apply(t.Context(), []plan.Step{{Action: plan.Create, ID: s.ID, New: s}}); err != nil {
		t.Fatal(err)
	}
	c := needEngine(t)
	if n := len(containers(t, c, dir)); n != 2 {
		t.Errorf("%d containers run, want 2", n)
	}
	built := 0
	for _, text := range texts(hub.Tail("service.catalog", 100), "build") {
		if strings.HasPrefix(text, "Successfully built") {
			built++
		}
	}
	if built != 1 {
		t.Errorf("built %d times, want once", built)
	}
	if err := sup.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(containers(t, c, dir)); n != 0 {
		t.Errorf("%d containers are left", n)
	}
}

func TestEndsAreToldWithTheirReason(t *testing.T) {
	e, hub, dir := stack(t)
	s := service(dir, "/healthz")
	s.Command = []string{"exit", "7"}
	inst := start(t, New(e, nil), s)
	if err := inst.Ready(t.Context()); err == nil || err.Error() != "exited with status 7 before it was ready" {
		t.Errorf("Ready: %v", err)
	}
	<-inst.Done()
	tail := hub.Tail("service.catalog", 2)
	if len(texts(tail, "stdout")) != 1 || len(texts(tail, "stderr")) != 1 {
		t.Errorf("its last lines are %+v", tail)
	}
}

func TestMistakes(t *testing.T) {
	e, _, dir := stack(t)
	write(t, filepath.Join(dir, "broken", "Dockerfile"), "FROM scratch\nCOPY missing /\n")
	write(t, filepath.Join(dir, "empty", "README"), "")
	write(t, filepath.Join(dir, "noprogram", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nENTRYPOINT [\"/nothing\"]\n")
	for _, tt := range []struct {
		name string
		edit func(*config.Service)
		want string
	}{
		{"a COPY of what is not there", func(s *config.Service) { s.Build = filepath.Join(dir, "broken") }, "missing"},
		{"no Dockerfile", func(s *config.Service) { s.Build = filepath.Join(dir, "empty") }, "there is no Dockerfile in it"},
		{"no program in the image", func(s *config.Service) { s.Build = filepath.Join(dir, "noprogram") }, "/nothing"},
		{"an image that nobody has", func(s *config.Service) { s.Build, s.Image = "", "127.0.0.1:1/nobody/has:this" },
			"image 127.0.0.1:1/nobody/has:this is not here and cannot be pulled"},
		{"no port", func(s *config.Service) { s.Port = 0 }, "service.catalog needs a port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := service(dir, "")
			tt.edit(s)
			if _, err := New(e, nil).Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if left := containers(t, needEngine(t), dir); len(left) != 0 {
		t.Errorf("%d containers are left", len(left))
	}
}

func TestNoEngineSaysWhereAndWhatToDo(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	e := NewEngine(Config{Watchdog: reap.New(""), Logs: logs.New("", logs.Options{})})
	_, err := New(e, nil).Start(t.Context(), &config.Service{Image: "x", Port: 1})
	want := "no Docker engine answers at unix:///nonexistent/docker.sock (no such file or directory): " +
		"start Docker, set DOCKER_HOST to where it listens, or run the service as a command"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := e.GatewayAddr(t.Context()); err == nil {
		t.Error("a gateway without an engine")
	}
}

func TestKilledDaemonLeavesNoContainer(t *testing.T) {
	_, _, dir := stack(t)
	c := needEngine(t)
	d := startDaemon(t, dir)
	if found := containers(t, c, dir); len(found) != 1 || found[0].State != "running" {
		t.Fatalf("the daemon runs %+v", found)
	}
	killed := time.Now()
	d.Process.Kill()
	d.Wait()
	for len(containers(t, c, dir)) > 0 {
		if time.Since(killed) > 30*time.Second {
			t.Fatal("the container outlives the daemon")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("gone %v after the kill", time.Since(killed))
}

func startDaemon(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := exec.Command(self, "daemon", dir)
	d.Stderr = os.Stderr
	out, err := d.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Process.Kill(); d.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "<nil>\n" {
		t.Fatalf("the daemon's service is not ready: %s", line)
	}
	return d
}

func TestContainersOfAnEarlierRunAreRemoved(t *testing.T) {
	e, _, dir := stack(t)
	c := needEngine(t)
	start(t, New(e, nil), service(dir, "/healthz"))
	later := NewEngine(Config{Stack: "test", Dir: dir, Watchdog: reap.New(""), Logs: logs.New("", logs.Options{})})
	t.Cleanup(func() { later.Close(); later.conf.Watchdog.Close() })
	if _, err := later.GatewayAddr(t.Context()); err != nil { // connects
		t.Fatal(err)
	}
	if left := containers(t, c, dir); len(left) != 0 {
		t.Errorf("%d containers are left", len(left))
	}
}
