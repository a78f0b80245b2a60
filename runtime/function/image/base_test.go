package image_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dockerimage "github.com/docker/docker/api/types/image"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/image"
)

// standIn is the registry of the images that stand in for AWS's.
const standIn = "devstack-test"

// baseEngine runs functions in an image that is called as AWS's of a runtime.
func baseEngine(t *testing.T, name string) function.Engine {
	t.Helper()
	c := needDocker(t)
	base.need(t)
	dir := t.TempDir()
	e := docker(t, dir)
	write(t, filepath.Join(dir, "Dockerfile"), "FROM "+baseName+"\nENV LAMBDA_TASK_ROOT=/var/task\nWORKDIR /var/task\n")
	id, err := e.Build(t.Context(), "standin", dir)
	if err != nil {
		t.Fatal(err)
	}
	ref := standIn + "/" + name
	if err := c.ImageTag(t.Context(), id, ref); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.ImageRemove(context.Background(), ref, dockerimage.RemoveOptions{})
		removeImages(c, dir)
	})
	return image.NewBase(image.BaseOptions{Options: image.Options{Docker: e, Init: filepath.Join(base.dir, "init")}, Registry: standIn})
}

// The stand-in behaves as AWS's image does towards us: it runs what is in /var/task, and speaks the Runtime API.
func TestAFunctionInABaseImage(t *testing.T) {
	for runtime, name := range map[string]string{"dotnet8": "dotnet:8", "ruby3.3": "ruby:3.3", "java8.al2": "java:8.al2"} {
		t.Run(runtime, func(t *testing.T) {
			p := functiontest.NewProject(t, baseEngine(t, name), functiontest.Sample{
				Runtime: runtime, Handler: "the::handler", Files: func(version string) map[string]string { return map[string]string{"version": version} },
			}, false)
			layer := t.TempDir()
			write(t, filepath.Join(layer, "shared"), "of a layer")
			p.Function.Layers = []string{layer}
			p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/wrap"
			p.Put(t)
			p.Want(t, `{"do":"version"}`, `"1"`)
			p.Save(t, "2")
			p.Want(t, `{"do":"version"}`, `"2"`)
			p.Want(t, `{"do":"args"}`, `["the::handler"]`)
			p.Want(t, `{"do":"read","name":"/opt/shared"}`, `"of a layer"`)
			p.Want(t, `{"do":"env","name":"LAMBDA_TASK_ROOT"}`, `"/var/task"`)
			p.Want(t, `{"do":"env","name":"AWS_LAMBDA_EXEC_WRAPPER"}`, `"/opt/wrap"`)
			p.Want(t, `{"do":"env","name":"LD_LIBRARY_PATH"}`, `""`)
			p.Want(t, `{"do":"env","name":"AWS_EXECUTION_ENV"}`, `"AWS_Lambda_`+runtime+`"`)
			p.Fails(t, `{"do":"write","name":"/var/task/file"}`)
		})
	}
}

func TestWhatABaseImageCannotRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "F.java"), "")
	for _, tt := range []struct{ runtime, source, handler, want string }{
		{"java21", dir, "F", "is Java that is not compiled, and the image devstack-test/java:21 has no compiler: set source to a jar, or to a folder of classes with jars in lib (no JDK)"},
		{"java21", filepath.Join(dir, "F.java"), "F", "is Java that is not compiled"},
		{"java21", filepath.Join(dir, "gone.jar"), "F", "gone.jar does not exist"},
		{"dotnet8", filepath.Join(dir, "F.java"), "F", "set source to the one that `dotnet publish` has written"},
		{"dotnet8", dir, "", "needs a handler"},
	} {
		e := image.NewBase(image.BaseOptions{Options: image.Options{Docker: docker(t, dir)}, Registry: standIn, Why: func(string) string { return "no JDK" }})
		b, err := e.Build(t.Context(), &config.Function{Name: "f", Runtime: tt.runtime, Source: tt.source, Handler: tt.handler}, nil)
		if mistake, ok := err.(*function.BuildError); !ok || !strings.Contains(mistake.Text, tt.want) {
			t.Errorf("%s %s: %v, want %s", tt.runtime, tt.source, err, tt.want)
		}
		if len(b.Inputs()) == 0 {
			t.Errorf("%s %s has no inputs", tt.runtime, tt.source)
		}
	}
}

// Without Docker the error says what it is needed for.
func TestABaseImageWithoutDocker(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	dir := t.TempDir()
	e := image.NewBase(image.BaseOptions{Options: image.Options{Docker: docker(t, dir)}, Why: func(string) string { return "there is no Ruby" }})
	_, err := e.Build(t.Context(), &config.Function{Name: "f", Runtime: "ruby3.3", Source: dir, Handler: "f.f"}, nil)
	const want = "runtime ruby3.3 runs in AWS's base image public.ecr.aws/lambda/ruby:3.3 (there is no Ruby): "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	t.Log(err)
	if _, ok := err.(*function.BuildError); ok || os.IsNotExist(err) {
		t.Errorf("it is no mistake in the function: %v", err)
	}
}
