// Package image runs functions that are container images which speak the Lambda Runtime API: AWS's base images, any other
// image with a runtime interface client, or a program that is a client itself.
//
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
package image

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
)

// Options is what an Engine works with.
type Options struct {
	Docker *container.Engine // its owner closes it, after the Engine
	Init   string            // executable with package rapid in it that containers can run; "" for this program's own
}

// Engine is the engine of the runtime "image".
type Engine struct {
	docker *container.Engine
	init   initProgram

	mu   sync.Mutex
	used map[string]int // builds that are not closed, by the id of their image
}

// New returns an engine.
func New(o Options) *Engine {
	return &Engine{docker: o.Docker, init: initProgram{path: o.Init}, used: map[string]int{}}
}

// Close has nothing to end: the sandboxes are their owner's.
func (e *Engine) Close() error { return nil }

// build is an image. Its id stays the image's when its name goes to the next build of the same folder.
type build struct {
	engine *Engine
	id     string // "" if it could not be built
	inputs []string
	binds  []string // folders of this machine in the container: "/here:/there:ro"

	look           sync.Mutex
	looked         bool
	entry, command []string // once looked at: the image's own
}

// Inputs are the files that the image is built from; of an image that somebody else has built there are none.
func (b *build) Inputs() []string { return b.inputs }

// Close lets the image go: the next build of the function deletes it.
func (b *build) Close() error {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	if b.engine.used[b.id]--; b.engine.used[b.id] <= 0 {
		delete(b.engine.used, b.id)
	}
	return nil
}

// hold makes a build of an image, which is kept until the build is closed.
func (e *Engine) hold(id string, inputs []string) *build {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.used[id]++
	return &build{engine: e, id: id, inputs: inputs}
}

// holds reports whether a sandbox of the image may still be started.
func (e *Engine) holds(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.used[id] > 0
}

// resource is the name under which a function's containers, images and builds are known.
func resource(fn *config.Function) string { return "function." + fn.Name }

// Build builds the image of a folder with a Dockerfile, or pulls one that the Docker engine does not have.
func (e *Engine) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	if fn.Build == "" {
		return e.pull(ctx, fn)
	}
	inputs := inputs(fn.Build)
	id, err := e.docker.BuildBeside(ctx, resource(fn), fn.Build, e.holds)
	var mistake *container.BuildError
	switch {
	case err == nil:
		return e.hold(id, inputs), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &mistake):
		err = &function.BuildError{Text: text(mistake)}
	}
	return e.hold("", inputs), err
}

// text is what a build printed last, and the engine's message.
func text(mistake *container.BuildError) string {
	lines := slices.Clone(mistake.Output)
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, "\r")
	}
	return strings.TrimLeft(strings.Join(append(lines, mistake.Error()), "\n"), "\n")
}

func (e *Engine) pull(ctx context.Context, fn *config.Function) (function.Build, error) {
	if err := e.docker.Pull(ctx, resource(fn), fn.Image); err != nil {
		return nil, err
	}
	id, err := e.docker.ImageID(ctx, fn.Image)
	if err != nil {
		return nil, err
	}
	return e.hold(id, nil), nil
}

// inputs are the files and folders of a build: its folder's, without those that its .dockerignore leaves out.
func inputs(dir string) []string {
	all := function.Files(dir)
	ignored, err := container.Ignored(dir)
	if err != nil {
		return all // the build will say what is wrong with the .dockerignore
	}
	return slices.DeleteFunc(all, func(path string) bool {
		name, err := filepath.Rel(dir, path)
		return err == nil && name != "." && ignored(name)
	})
}
