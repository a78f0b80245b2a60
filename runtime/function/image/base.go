package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// registry has AWS's base images.
//
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#runtimes-images-lp
const registry = "public.ecr.aws/lambda"

// Base runs functions of a language in AWS's base image of their runtime, with the code and the layers mounted where Lambda has
// them. It builds nothing: the source is what would be uploaded, as a folder, or a jar.
type Base struct {
	*Engine
	registry string
	why      func(runtime string) string
}

// BaseOptions is what a Base works with.
type BaseOptions struct {
	Options
	Registry string                      // "" for AWS's
	Why      func(runtime string) string // why a runtime's functions are not run without an image, for messages; may be nil
}

// NewBase returns an engine.
func NewBase(o BaseOptions) *Base {
	b := &Base{Engine: New(o.Options), registry: o.Registry, why: o.Why}
	if b.registry == "" {
		b.registry = registry
	}
	if b.why == nil {
		b.why = func(string) string { return "" }
	}
	return b
}

// reference names the image of a runtime: java8.al2 is java:8.al2.
func (b *Base) reference(runtime string) string {
	i := strings.IndexAny(runtime, "0123456789")
	return b.registry + "/" + runtime[:i] + ":" + runtime[i:]
}

// Build pulls the image, if the Docker engine does not have it.
func (b *Base) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	root := function.TaskRoot(fn)
	inputs := append(function.LayerInputs(fn), function.Files(fn.Source)...)
	info, err := os.Stat(fn.Source)
	ref := b.reference(fn.Runtime)
	jar := strings.HasPrefix(fn.Runtime, "java") && strings.HasSuffix(fn.Source, ".jar")
	switch {
	case err != nil:
		return b.hold("", inputs), &function.BuildError{Text: fn.Source + " does not exist: it is the source of function " + fn.Name}
	case fn.Handler == "":
		return b.hold("", inputs), &function.BuildError{Text: "function " + fn.Name + " needs a handler"}
	case strings.HasPrefix(fn.Runtime, "java") && !jar && (!info.IsDir() || isSource(root)):
		return b.hold("", inputs), &function.BuildError{Text: fmt.Sprintf("%s is Java that is not compiled, and the image %s has no compiler: set source to a jar, or to a folder of classes with jars in lib%s",
			fn.Source, ref, b.because(fn.Runtime))}
	case strings.HasPrefix(fn.Runtime, "dotnet") && !info.IsDir():
		return b.hold("", inputs), &function.BuildError{Text: fn.Source + " is no folder: set source to the one that `dotnet publish` has written"}
	}
	if err := b.docker.Pull(ctx, resource(fn), ref); err != nil {
		return b.hold("", inputs), fmt.Errorf("runtime %s runs in AWS's base image %s%s: %w", fn.Runtime, ref, b.because(fn.Runtime), err)
	}
	id, err := b.docker.ImageID(ctx, ref)
	if err != nil {
		return b.hold("", inputs), err
	}
	built := b.hold(id, inputs)
	if jar {
		built.binds = []string{fn.Source + ":/var/task/lib/" + filepath.Base(fn.Source) + ":ro"}
	} else {
		built.binds = []string{root + ":/var/task:ro"}
	}
	opt, err := function.Opt(fn)
	if err != nil {
		return built, err
	}
	if len(fn.Layers) > 1 {
		return built, fmt.Errorf("function %s has %d layers, and in a container there can be one: their merged folder consists of links that lead out of it", fn.Name, len(fn.Layers))
	}
	if opt != "" {
		built.binds = append(built.binds, opt+":/opt:ro")
	}
	return built, nil
}

func (b *Base) because(runtime string) string {
	if why := b.why(runtime); why != "" {
		return " (" + why + ")"
	}
	return ""
}

// isSource reports whether a folder has Java or a build of it rather than classes.
func isSource(dir string) bool {
	for _, pattern := range []string{"pom.xml", "build.gradle*", "*.java"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			return true
		}
	}
	return false
}
