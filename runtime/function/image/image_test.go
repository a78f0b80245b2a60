package image_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"devstack/runtime/config"
	ours "devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/image"
	"devstack/runtime/logs"
	"devstack/runtime/process/reap"
)

// The test binary is also the daemon and the watchdog of the test that kills one.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == reap.Verb:
		reap.Main(os.Stdin, map[string]reap.Killer{ours.Kind: ours.Reap})
	case len(os.Args) > 2 && os.Args[1] == "daemon":
		daemon(os.Args[2])
	default:
		code := m.Run()
		base.remove()
		os.Exit(code)
	}
}

// daemon runs a function and waits to be killed.
func daemon(dir string) {
	w := reap.New(dir)
	e := image.New(image.Options{Docker: ours.NewEngine(ours.Config{Stack: "killed", Dir: dir, Watchdog: w, Logs: logs.New("", logs.Options{})})})
	fn := &config.Function{Name: "sample", Runtime: "image", Build: dir, Memory: 128}
	b, err := e.Build(context.Background(), fn, nil)
	if err == nil {
		_, err = e.Start(context.Background(), fn, b, nil, func(_, line string) { fmt.Fprintln(os.Stderr, line) })
	}
	fmt.Println(err)
	select {}
}

// needDocker leaves a test out where no engine runs, but not on CI.
func needDocker(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err == nil {
		_, err = c.Ping(t.Context())
	}
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// base is the image that all samples are made from: the program alone, built once.
var base baseImage

type baseImage struct {
	once sync.Once
	dir  string
	err  error
}

const baseName = "devstack/imagetest-base"

func (b *baseImage) need(t *testing.T) {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "devstack-test"); b.err != nil {
			return
		}
		compile := exec.Command("go", "build", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", b.dir, "./testdata/sample", "./testdata/init")
		compile.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if out, err := compile.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%w: %s", err, out)
			return
		}
		write(t, filepath.Join(b.dir, "Dockerfile"), "FROM scratch\nCOPY sample /sample\nENTRYPOINT [\"/sample\"]\n")
		e := docker(t, b.dir)
		_, b.err = e.Build(t.Context(), "base", b.dir)
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
}

func (b *baseImage) remove() {
	if b.dir == "" {
		return
	}
	os.RemoveAll(b.dir)
	if c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation()); err == nil {
		removeImages(c, b.dir)
	}
}

// removeImages removes the images that were built by a stack in a folder.
func removeImages(c *client.Client, dir string) {
	for _, one := range images(c, dir) {
		c.ImageRemove(context.Background(), one.ID, dockerimage.RemoveOptions{Force: true, PruneChildren: true})
	}
}

func images(c *client.Client, dir string) []dockerimage.Summary {
	all, err := c.ImageList(context.Background(), dockerimage.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "devstack.dir="+dir))})
	if err != nil {
		return nil
	}
	return all
}

func containers(t *testing.T, c *client.Client, dir string) []container.Summary {
	t.Helper()
	all, err := c.ContainerList(context.Background(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "devstack.dir="+dir))})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func docker(t *testing.T, dir string) *ours.Engine {
	t.Helper()
	w := reap.New("")
	e := ours.NewEngine(ours.Config{Stack: "imagetest", Dir: dir, Watchdog: w, Logs: logs.New("", logs.Options{})})
	t.Cleanup(func() { e.Close(); w.Close() })
	return e
}

// newEngine runs functions with an init in their containers.
func newEngine(t *testing.T) function.Engine {
	t.Helper()
	base.need(t)
	return engineWith(t, filepath.Join(base.dir, "init"))
}

// withoutInit runs functions as where no program of ours can run in a container.
func withoutInit(t *testing.T) function.Engine {
	t.Helper()
	return engineWith(t, "/nonexistent/init")
}

// engineDir is the folder of the stack whose engine was made last.
var engineDir string

func engineWith(t *testing.T, init string) function.Engine {
	t.Helper()
	c := needDocker(t)
	base.need(t)
	dir := t.TempDir()
	engineDir = dir
	t.Cleanup(func() {
		if left := containers(t, c, dir); len(left) != 0 {
			t.Errorf("%d containers are left", len(left))
		}
		removeImages(c, dir)
	})
	return image.New(image.Options{Docker: docker(t, dir), Init: init})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const dockerfile = "FROM " + baseName + "\nCOPY version /version\n"

var sample = functiontest.Sample{
	Runtime: "image",
	Files: func(version string) map[string]string {
		return map[string]string{"Dockerfile": dockerfile, "version": version}
	},
	Broken:    map[string]string{"Dockerfile": "FROM " + baseName + "\nCOPY missing /version\n"},
	BadInit:   map[string]string{"version": "bad"},
	ErrorType: "errorString",
	Races:     10,
	Parallel:  4,
}

func project(t *testing.T) *functiontest.Project {
	t.Helper()
	return functiontest.NewProject(t, newEngine(t), sample, false)
}

// both runs a test with an init in the container, and without.
func both(t *testing.T, test func(t *testing.T, p *functiontest.Project)) {
	t.Run("with an init", func(t *testing.T) { test(t, project(t)) })
	t.Run("without an init", func(t *testing.T) { test(t, functiontest.NewProject(t, withoutInit(t), sample, false)) })
}

func TestSuite(t *testing.T) { functiontest.Run(t, newEngine, sample) }

func TestInTheContainer(t *testing.T) {
	p := project(t)
	p.Function.Environment["LANG"] = "de_DE.UTF-8"
	p.Function.Environment["HOME"] = "/tmp"
	p.Put(t)
	for _, tt := range []struct{ name, event, want string }{
		{"PATH is the image's", `{"do":"env","name":"PATH"}`, `"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`},
		{"no folder of this machine is in its environment", `{"do":"env","name":"TMPDIR"}`, `""`},
		{"a variable of the function's own stays, whatever its name", `{"do":"env","name":"LANG"}`, `"de_DE.UTF-8"`},
		{"the command is the image's", `{"do":"args"}`, `[]`},
		{"/tmp can be written", `{"do":"write","name":"/tmp/x"}`, `"written"`},
	} {
		t.Run(tt.name, func(t *testing.T) { p.Want(t, tt.event, tt.want) })
	}
	if _, _, message := p.Fails(t, `{"do":"write","name":"/x"}`); !strings.Contains(message, "read-only file system") {
		t.Errorf("writing elsewhere: %s", message)
	}
}

func TestAHandlerIsTheCommand(t *testing.T) {
	p := project(t)
	p.Function.Handler = "app.handler"
	p.Put(t)
	p.Want(t, `{"do":"args"}`, `["app.handler"]`)
	p.Want(t, `{"do":"env","name":"_HANDLER"}`, `"app.handler"`)
}

func TestTheContainerReachesThisMachine(t *testing.T) {
	p := project(t)
	gateway, err := docker(t, t.TempDir()).GatewayAddr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if gateway == "" {
		gateway = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(gateway, "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p.Function.Environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:" + port
	p.Put(t)
	p.Want(t, `{"do":"get","name":"AWS_ENDPOINT_URL"}`, `418`)
}

func TestAnImageOfSomebodyElse(t *testing.T) {
	c := needDocker(t)
	var p *functiontest.Project
	t.Cleanup(func() { removeImages(c, p.Dir) }) // once the project's containers are gone
	p = project(t)
	if _, err := docker(t, p.Dir).Build(t.Context(), "theirs", p.Dir); err != nil {
		t.Fatal(err)
	}
	p.Function.Build, p.Function.Image = "", "devstack/imagetest-theirs"
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	p.Function.Image = "127.0.0.1:1/nobody/has:this"
	if err := p.Manager.Put(t.Context(), p.Function); err == nil || !strings.Contains(err.Error(), "is not here and cannot be pulled") {
		t.Errorf("an image that nobody has: %v", err)
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ name, dockerfile, version, want, typ string }{
		{"a step that fails says where the build was", dockerfile + "COPY missing /\n", "1", " : COPY missing /\nbuild ", ""},
		{"an unknown instruction", "FORM scratch\n", "1", "unknown instruction: FORM", ""},
		{"a program that is not there", dockerfile + "ENTRYPOINT [\"/nothing\"]\n", "1", "/nothing", "Runtime.InvalidEntrypoint"},
		{"no program at all", "FROM scratch\nCOPY version /\n", "1", "No command specified", "Runtime.InvalidEntrypoint"},
		{"an error that the runtime reports", dockerfile, "bad", "does not load", "Sample.Bad"},
		{"a runtime that ends without a word", dockerfile, "mute", "Runtime exited with error: exit status 3", "Runtime.ExitError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, p *functiontest.Project) {
				write(t, filepath.Join(p.Dir, "Dockerfile"), tt.dockerfile)
				write(t, filepath.Join(p.Dir, "version"), tt.version)
				_ = p.Manager.Put(t.Context(), p.Function) // what fails at the start is found out by the first event
				_, typ, message := p.Fails(t, `{"do":"version"}`)
				if !strings.Contains(message, tt.want) || tt.typ != "" && typ != tt.typ {
					t.Errorf("answered %s: %q, want %s: %q", typ, message, tt.typ, tt.want)
				}
			})
		})
	}
}

func TestAFunctionThatUsesTooMuchMemoryIsKilled(t *testing.T) {
	both(t, func(t *testing.T, p *functiontest.Project) {
		p.Put(t)
		out, typ, message := p.Fails(t, `{"do":"devour"}`)
		if want := "RequestId: " + out.RequestID + " Error: Runtime exited with error: signal: killed"; typ != "Runtime.ExitError" || message != want {
			t.Errorf("answered %s: %s, want %s", typ, message, want)
		}
		p.Want(t, `{"do":"version"}`, `"1"`)
	})
}

func TestLastWordsWithoutANewlineAreLogged(t *testing.T) {
	both(t, func(t *testing.T, p *functiontest.Project) {
		p.Put(t)
		out, _, _ := p.Fails(t, `{"do":"partial","line":"last words"}`)
		if lines := p.Lines(out.RequestID); !slices.Contains(lines, "last words") {
			t.Errorf("the log is %q", lines)
		}
	})
}

func TestInputsAreWhatTheBuildIsGiven(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"Dockerfile", ".dockerignore", "app.go", "notes.log", "docs/guide.md", "src/a.go", ".git/HEAD"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), "*.log\ndocs\nDockerfile\n")
	}
	var got []string
	for _, path := range image.Inputs(dir) {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name)
	}
	if want := []string{".", ".dockerignore", "Dockerfile", "app.go", "src", "src/a.go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestImagesThatNobodyNeedsAreDeleted(t *testing.T) {
	c := needDocker(t)
	base.need(t)
	dir := t.TempDir()
	e := image.New(image.Options{Docker: docker(t, dir)})
	t.Cleanup(func() { removeImages(c, dir) })
	fn := &config.Function{Name: "sample", Runtime: "image", Build: dir, Memory: 128}
	write(t, filepath.Join(dir, "Dockerfile"), dockerfile)
	build := func(version string) function.Build {
		write(t, filepath.Join(dir, "version"), version)
		b, err := e.Build(t.Context(), fn, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := build("1")
	build("2")
	s, err := e.Start(t.Context(), fn, first, nil, func(_, line string) { t.Log(line) })
	if err != nil {
		t.Fatalf("an earlier build cannot be started: %v", err)
	}
	if out, err := s.Invoke(t.Context(), &function.Event{RequestID: "r", Payload: []byte(`{"do":"version"}`), Timeout: time.Minute}); string(out) != `"1"` {
		t.Errorf("the earlier build answers %s, %v", out, err)
	}
	if err := errors.Join(s.Close(), first.(*image.BuildOf).Close()); err != nil {
		t.Fatal(err)
	}
	build("3")
	if n := len(images(c, dir)); n != 2 {
		t.Errorf("%d images are left, want the two builds that are not closed", n)
	}
}

func TestAKilledDaemonLeavesNoContainer(t *testing.T) {
	c := needDocker(t)
	base.need(t)
	dir := t.TempDir()
	t.Cleanup(func() { removeImages(c, dir) })
	write(t, filepath.Join(dir, "Dockerfile"), dockerfile)
	write(t, filepath.Join(dir, "version"), "1")
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
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "<nil>\n" {
		t.Errorf("the daemon's function does not run: %s", line)
	}
	if found := containers(t, c, dir); len(found) != 1 {
		t.Errorf("%d containers run", len(found))
	}
	d.Process.Kill()
	d.Wait()
	for began := time.Now(); len(containers(t, c, dir)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the container outlives the daemon")
		}
	}
}
