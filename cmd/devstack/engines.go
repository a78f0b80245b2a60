package main

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/function/golang"
	"devstack/runtime/function/image"
	"devstack/runtime/function/java"
	"devstack/runtime/function/js"
	"devstack/runtime/function/node"
	"devstack/runtime/function/python"
	"devstack/runtime/function/ruby"
	"devstack/runtime/function/wasm"
	"devstack/runtime/process/reap"
)

// host is what functions run on. A daemon is one; `devstack serve` makes one for the first function that is created.
type host struct {
	dir       string // engines keep what they build below its state folder
	clock     clock.Clock
	cloud     *emulators.Cloud
	watchdog  *reap.Watchdog
	docker    *container.Engine
	transport http.RoundTripper // of functions within the process
}

// engines are the engines of functions, each made when the first function of its kind needs it.
type engines struct {
	d *host

	mu   sync.Mutex
	made map[string]function.Engine // by family
}

func newEngines(d *host) *engines { return &engines{d: d, made: map[string]function.Engine{}} }

// of returns the engine of a runtime, nil for one that we do not run.
func (e *engines) of(runtime string) function.Engine {
	family, build := e.family(runtime)
	if family == "" {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.made[family] == nil {
		e.made[family] = build()
	}
	return e.made[family]
}

// family tells which engine runs a runtime, and how it is made.
func (e *engines) family(runtime string) (string, func() function.Engine) {
	switch {
	case runtime == "js":
		return "js", func() function.Engine {
			return js.New(js.Options{Dir: e.d.dir, Clock: e.d.clock, AWS: e.d.cloud, Schema: newSchema(e.d.cloud.Model), Transport: e.d.transport})
		}
	case strings.HasPrefix(runtime, "nodejs"):
		return "nodejs", func() function.Engine { return node.New(node.Options{Watchdog: e.d.watchdog, Clock: e.d.clock}) }
	case strings.HasPrefix(runtime, "python"):
		return "python", func() function.Engine { return python.New(python.Options{Watchdog: e.d.watchdog, Clock: e.d.clock}) }
	case runtime == "go", strings.HasPrefix(runtime, "provided"):
		return "go", func() function.Engine {
			return golang.New(golang.Config{Cache: filepath.Join(e.d.dir, stateDir, "build"), Keep: e.d.watchdog})
		}
	case strings.HasPrefix(runtime, "java") && java.Found(runtime) == nil:
		return "java", func() function.Engine {
			return java.New(java.Options{Cache: filepath.Join(e.d.dir, stateDir, "build", "java.cache"), Keep: e.d.watchdog})
		}
	case strings.HasPrefix(runtime, "ruby") && ruby.Found(runtime) == nil:
		return "ruby", func() function.Engine { return ruby.New(ruby.Options{Keep: e.d.watchdog}) }
	case strings.HasPrefix(runtime, "java"), strings.HasPrefix(runtime, "ruby"), strings.HasPrefix(runtime, "dotnet"):
		return "base", func() function.Engine {
			return image.NewBase(image.BaseOptions{Options: image.Options{Docker: e.d.docker}, Why: whyImage})
		}
	case runtime == "wasm":
		return "wasm", func() function.Engine {
			return wasm.New(wasm.Options{Clock: e.d.clock, Cache: filepath.Join(e.d.dir, stateDir, "build", "wasm.cache")})
		}
	case runtime == "image":
		return "image", func() function.Engine { return image.New(image.Options{Docker: e.d.docker}) }
	}
	return "", nil
}

// whyImage says why a language's functions are run in a container.
func whyImage(runtime string) string {
	switch {
	case strings.HasPrefix(runtime, "java"):
		if err := java.Found(runtime); err != nil {
			return err.Error()
		}
	case strings.HasPrefix(runtime, "ruby"):
		if err := ruby.Found(runtime); err != nil {
			return err.Error()
		}
	}
	return ""
}

// close ends all engines.
func (e *engines) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, made := range e.made {
		errs = append(errs, made.Close())
	}
	return errors.Join(errs...)
}
