package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// stackPaths are the files that a stack was read from and the folder in which further ones may appear.
func stackPaths(stack *config.Stack) []string {
	return append([]string{stack.Dir}, stack.Files...)
}

// isStackFile reports whether a change of a file may change the stack.
func isStackFile(stack *config.Stack, path string) bool {
	return slices.Contains(stack.Files, path) || filepath.Dir(path) == stack.Dir && strings.HasSuffix(path, ".hcl")
}

// reloadOn applies the stack's files after each change, until done.
func (d *daemon) reloadOn(changed <-chan struct{}, done <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-done
		cancel()
	}()
	select {
	case <-done:
		return
	case <-changed:
	}
	// apply replaces the watches, this goroutine's among them: it must not be its own undoing.
	err := d.apply(context.WithoutCancel(ctx))
	var bad config.Diagnostics
	switch {
	case errors.As(err, &bad):
		d.logs.Say("devstack", "the stack's files are wrong; what runs goes on as it was\n"+bad.Text())
		d.watchStack(d.current())
	case err != nil:
		d.logs.Say("devstack", "stack.hcl is applied, but "+err.Error())
	default:
		d.logs.Say("devstack", "stack.hcl is applied")
	}
}

// kick returns what restarts a service when one of its files is saved.
func (d *daemon) kick(id config.ID) func(path string) {
	return func(path string) {
		go func() {
			if d.sup.Kick(id) {
				d.logs.Say(id.String(), "restarted for "+d.relative(path))
			}
		}()
	}
}

// reloaded tells of a function's new build.
func (d *daemon) reloaded(name string, ev function.Reload) {
	source := "function." + name
	switch {
	case ev.Err != nil:
		d.logs.Say(source, ev.Err.Error())
	case ev.Path != "":
		d.logs.Say(source, fmt.Sprintf("live again after %s, in %d ms", d.relative(ev.Path), ev.Took.Milliseconds()))
	}
}

// relative is a path as the stack's developer thinks of it.
func (d *daemon) relative(path string) string {
	if rel, err := filepath.Rel(d.dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
