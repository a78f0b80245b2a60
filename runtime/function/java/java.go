// Package java runs functions of the runtimes java*: a JVM a sandbox, in which AWS's own runtime interface client loads the
// function and speaks the Runtime API. So handlers, their JSON, contexts, logs and error documents are AWS's in every detail.
//
// The client is not part of devstack. It is taken from the function's own dependencies, or from the machine's Maven repository,
// or Maven is asked to fetch it; it has a native part, which there is for Linux only.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-java.html
// https://github.com/aws/aws-lambda-java-libs/tree/main/aws-lambda-java-runtime-interface-client
package java

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/spawn"
)

// Options is what an Engine works with.
type Options struct {
	Cache string       // folder for what is compiled; only one daemon uses it, and it is emptied when an engine is made
	Keep  spawn.Keeper // ends processes with the daemon; may be nil
}

// Engine is the engine of the runtimes java*.
type Engine struct {
	opts   Options
	builds atomic.Int64
	client client
	native natives

	mu    sync.Mutex
	noted map[string]bool // functions whose log has the note about their JVM
}

// New returns an engine. What an earlier daemon left in the cache is removed.
func New(o Options) *Engine {
	os.RemoveAll(o.Cache)
	return &Engine{opts: o, noted: map[string]bool{}}
}

// Close has nothing to end: the sandboxes are their owner's.
func (e *Engine) Close() error { return nil }

// Found reports why functions of a runtime cannot be run by this machine's Java, nil if it has one.
func Found(runtime string) error {
	if goruntime.GOOS != "linux" {
		return errors.New("AWS's runtime interface client for Java runs on Linux only")
	}
	_, err := jvmFor(runtime)
	return err
}

// build is one version of a function.
type build struct {
	jvm       jvm
	handler   string
	classpath []string // of the function, its libraries, its layers and the client
	inputs    []string
	dir       string // to be removed with the build, "" if nothing was compiled
	maven     *mavenProject
}

// Inputs are the files and folders that the version depends on.
func (b *build) Inputs() []string { return b.inputs }

// Close removes what was compiled.
func (b *build) Close() error {
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

// Build makes a function's class path. fn.Source is
//
//   - a jar, with all that it depends on or with a folder lib beside it,
//   - a folder with a pom.xml, which Maven compiles,
//   - a folder of Java sources, which javac compiles, with jars in its folder lib, or one source file,
//   - a folder as Lambda unpacks it: classes, and jars in its folder lib.
//
// fn.Handler is "package.Class" or "package.Class::method", as on Lambda.
func (e *Engine) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	root := function.TaskRoot(fn)
	b := &build{handler: fn.Handler}
	b.inputs = append(function.LayerInputs(fn), sources(root, fn.Source)...)
	if fn.Handler == "" {
		return b, &function.BuildError{Text: "function " + fn.Name + " needs a handler, such as \"example.Handler\" or \"example.Handler::handleRequest\""}
	}
	var err error
	if b.jvm, err = jvmFor(fn.Runtime); err != nil {
		return b, err
	}
	opt, err := function.Opt(fn)
	if err != nil {
		return b, err
	}
	layers := []string{}
	if opt != "" {
		layers = jars(filepath.Join(opt, "java", "lib"))
	}
	b.dir = filepath.Join(e.opts.Cache, fmt.Sprintf("%s-%d", fn.Name, e.builds.Add(1)))
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return b, err
	}
	known, _ := previous.(*build)
	if err := e.compile(ctx, b, fn, layers, known); err != nil {
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
		return b, err
	}
	b.classpath = append(b.classpath, layers...)
	if slices.ContainsFunc(b.classpath, isClient) {
		return b, nil
	}
	own, err := e.client.find(ctx)
	b.classpath = append(b.classpath, own...)
	return b, err
}

// sources are the files of a function, without what builds make.
func sources(root, source string) []string {
	if strings.HasSuffix(source, ".jar") {
		return append([]string{source}, filepath.Join(root, "lib"))
	}
	return slices.DeleteFunc(function.Files(root), func(path string) bool {
		rest, err := filepath.Rel(root, path)
		return err == nil && (rest == "target" || strings.HasPrefix(rest, "target"+string(filepath.Separator)))
	})
}

// compile fills in the function's part of the class path.
func (e *Engine) compile(ctx context.Context, b *build, fn *config.Function, layers []string, known *build) error {
	root := function.TaskRoot(fn)
	info, err := os.Stat(fn.Source)
	switch {
	case err != nil:
		return &function.BuildError{Text: fn.Source + " does not exist: it is the source of function " + fn.Name}
	case strings.HasSuffix(fn.Source, ".jar"):
		b.classpath = append([]string{fn.Source}, jars(filepath.Join(root, "lib"))...)
		return nil
	case !info.IsDir():
		return e.javac(ctx, b, []string{fn.Source}, root, layers)
	case exists(filepath.Join(root, "pom.xml")):
		return e.maven(ctx, b, root, known)
	case exists(filepath.Join(root, "build.gradle")), exists(filepath.Join(root, "build.gradle.kts")):
		return &function.BuildError{Text: root + " is a Gradle project, and devstack does not run Gradle: let Gradle make a jar with all that the function " +
			"depends on, and set source to that jar"}
	}
	var files []string
	for _, path := range b.inputs {
		if strings.HasSuffix(path, ".java") && strings.HasPrefix(path, root) {
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		b.classpath = append([]string{root}, jars(filepath.Join(root, "lib"))...)
		return nil
	}
	return e.javac(ctx, b, files, root, layers)
}

// Start starts a JVM with AWS's client in it.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	built := b.(*build)
	e.note(fn.Name, built.jvm.note, log)
	jar := built.classpath[slices.IndexFunc(built.classpath, isClient)]
	native, err := e.native.of(jar, filepath.Join(e.opts.Cache, "native"))
	if err != nil {
		return nil, err
	}
	path, args := function.Wrapped(env, built.jvm.path, arguments(fn, built, native, env)...)
	s, err := bootstrap.Start(ctx, fn, bootstrap.Spec{
		Path: path, Args: args, Env: append(env[:len(env):len(env)], "_HANDLER="+built.handler), Keep: e.opts.Keep, Frames: true,
	}, log)
	if err != nil {
		return nil, err // not a nil *bootstrap.Sandbox
	}
	return s, nil
}

// arguments are the JVM's. As on Lambda the compiler stops at its first level, which starts faster, and the collector is the
// serial one. The part of the memory that is the heap's is a guess: AWS does not say; 85 percent has been seen in functions' logs.
//
// https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html
func arguments(fn *config.Function, b *build, native string, env []string) []string {
	args := []string{
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", fmt.Sprintf("-XX:MaxHeapSize=%dk", fn.Memory*1024*85/100), "-Djava.net.preferIPv4Stack=true",
		"-D" + nativeProperty + "=" + native,
	}
	if b.jvm.major != "8" {
		args = append(args, "--add-opens=java.base/java.io=ALL-UNNAMED") // by which the client opens the file for its log
	}
	for _, kv := range env {
		if tmp, ok := strings.CutPrefix(kv, "TMPDIR="); ok {
			args = append(args, "-Djava.io.tmpdir="+tmp)
		}
	}
	return append(args, "-cp", strings.Join(b.classpath, string(os.PathListSeparator)), clientMain, b.handler)
}

// note puts the note about the JVM into the function's log, once.
func (e *Engine) note(name, text string, log function.LogFunc) {
	e.mu.Lock()
	first := text != "" && !e.noted[name]
	e.noted[name] = true
	e.mu.Unlock()
	if first {
		log("", text)
	}
}

// jars are the jars in a folder.
func jars(dir string) []string {
	found, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return nil // the folder's name is no pattern
	}
	return found
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
