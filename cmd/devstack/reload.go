package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/plan"
)

// subscription is what is watched for one purpose.
type subscription struct {
	paths  []string
	cancel func()
}

// resubscribe replaces a subscription unless its paths are the same. The new one hears before the old one ceases to. It
// reports whether there is a new one.
func (s *subscription) resubscribe(paths []string, subscribe func() (cancel func())) bool {
	if s.cancel != nil && slices.Equal(s.paths, paths) {
		return false
	}
	old := s.cancel
	s.paths, s.cancel = paths, subscribe()
	if old != nil {
		old()
	}
	return true
}

// reload applies the stack's files after each save, one save after another, until ctx ends.
func (d *daemon) reload(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.saved:
		}
		err := d.apply(ctx)
		var bad config.Diagnostics
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errOvertaken): // by a save that the next turn sees
		case errors.As(err, &bad):
			d.logs.Say("devstack", "the stack's files are wrong; what runs goes on as it was\n"+bad.Text())
		case err != nil:
			d.logs.Say("devstack", "stack.hcl is applied, but "+err.Error())
		default:
			d.logs.Say("devstack", "stack.hcl is applied")
		}
	}
}

// savedStack has the stack's files applied. It never waits: one reload sees all saves before it, and one that is carried out at the
// moment gives way.
func (d *daemon) savedStack() {
	select {
	case d.saved <- struct{}{}:
	default:
	}
	if end := d.overtake.Load(); end != nil {
		(*end)()
	}
}

// errOvertaken is why an apply did not get to its end: a later save is to be applied.
var errOvertaken = errors.New("the stack's files were saved again")

// applySteps carries out a plan until the stack's files are saved again. A resource that hangs while it starts must not keep the edit
// that mends it waiting.
func (d *daemon) applySteps(ctx context.Context, steps []plan.Step) error {
	until, end := context.WithCancel(ctx)
	defer end()
	d.overtake.Store(&end)
	defer d.overtake.Store(nil)
	if len(d.saved) > 0 {
		end() // since the files were read
	}
	err := d.sup.Apply(until, steps)
	if until.Err() != nil && ctx.Err() == nil {
		return errOvertaken
	}
	return err
}

// How long files must have been left alone before what they lack is believed. An empty one is most likely being saved by a
// program that has not come to write it yet, on a machine that has much to do. A folder in which something is written all the
// time is not waited for for ever.
const (
	rest      = 100 * time.Millisecond
	emptyRest = 2 * time.Second
	patience  = 5 * time.Second
)

// read reads the stack's files. Many programs save a file by emptying it first, and one of several files that is empty is a stack
// without its tables: so a stack that is wrong, or in which something of the old one is missing, is read again once its
// files are at rest. Everything else is acted on at once.
func (d *daemon) read(ctx context.Context, old *config.Stack) (*config.Stack, error) {
	for began := time.Now(); ; {
		next, err := d.load()
		if !d.applied.Load() || err == nil && !deletes(plan.Diff(old, next)) {
			return next, err
		}
		wait := unrest(next)
		if wait <= 0 || time.Since(began) > patience {
			return next, err
		}
		select {
		case <-time.After(min(wait, emptyRest)):
		case <-d.saved: // the rest of it, perhaps
		case <-ctx.Done():
			return next, ctx.Err()
		}
	}
}

// unrest is how much longer a stack's files have to be left alone.
func unrest(stack *config.Stack) (left time.Duration) {
	for _, path := range stackPaths(stack) {
		info, err := os.Stat(path)
		if err != nil {
			continue // its folder tells when it went
		}
		long := rest
		if info.Mode().IsRegular() && info.Size() == 0 {
			long = emptyRest
		}
		left = max(left, long-time.Since(info.ModTime()))
	}
	return left
}

// deletes reports whether a plan takes something away.
func deletes(steps []plan.Step) bool {
	return slices.ContainsFunc(steps, func(s plan.Step) bool { return s.Action == plan.Delete })
}

// written is when the stack's files, or the list of them, were written last. The time is the operating system's.
func written(stack *config.Stack) (last time.Time) {
	for _, path := range stackPaths(stack) {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// stackPaths are the files that a stack was read from and the folder in which further ones may appear.
func stackPaths(stack *config.Stack) []string {
	return append([]string{stack.Dir}, stack.Files...)
}

// isStackFile reports whether a change of a file may change the stack.
func isStackFile(stack *config.Stack, path string) bool {
	return slices.Contains(stack.Files, path) || filepath.Dir(path) == stack.Dir && strings.HasSuffix(path, ".hcl")
}

// watchStack has a save of the stack's files applied. began is when they were read: one that is watched for the first time
// may have been saved since.
func (d *daemon) watchStack(stack *config.Stack, began time.Time) {
	if d.watch == nil {
		return
	}
	anew := d.stackWatch.resubscribe(stackPaths(stack), func() func() {
		cancel, err := d.watch.Inputs(stackPaths(stack), func(path string) {
			if isStackFile(stack, path) {
				d.savedStack()
			}
		})
		if err != nil {
			d.logs.Say("devstack", err.Error())
		}
		return cancel
	})
	if anew && written(stack).After(began) {
		d.savedStack()
	}
}

// watchServices has a save of a service's sources restart it.
func (d *daemon) watchServices(stack *config.Stack) {
	if d.watch == nil {
		return
	}
	there := map[config.ID]bool{}
	for _, r := range stack.Resources {
		s, ok := r.(*config.Service)
		if !ok || len(s.Watch) == 0 {
			continue
		}
		there[s.ID] = true
		w := d.serviceWatch[s.ID]
		if w == nil {
			w = &subscription{}
			d.serviceWatch[s.ID] = w
		}
		others := sourcesOfOthers(stack, s)
		key := slices.Concat(s.Watch, []string{""}, others)
		w.resubscribe(key, func() func() { return d.watchService(s, others) })
	}
	for id, w := range d.serviceWatch {
		if !there[id] {
			w.cancel()
			delete(d.serviceWatch, id)
		}
	}
}

// watchService restarts a service when one of its files is saved that is not others'.
func (d *daemon) watchService(s *config.Service, others []string) (cancel func()) {
	saved := make(chan string, 1) // one restart sees all saves before it
	unsubscribe := d.watch.Changes(s.Watch, func(path string) {
		if slices.ContainsFunc(others, func(other string) bool { return inside(path, other) }) {
			return
		}
		select {
		case saved <- path:
		default:
		}
	})
	done := make(chan struct{})
	go func() {
		restless := restless{}
		for {
			select {
			case <-done:
				return
			case path := <-saved:
				if loud, first := restless.loud(path, time.Now()); loud {
					if first {
						d.logs.Say(s.ID.String(), d.relative(path)+" changes all the time and restarts the service no more until it rests; `watch` says which files shall")
					}
					continue
				}
				if d.sup.Kick(s.ID) {
					d.logs.Say(s.ID.String(), "restarted for "+d.relative(path))
				}
			}
		}
	}()
	return func() {
		unsubscribe()
		close(done)
	}
}

// sourcesOfOthers returns what is not a service's own in the folder that it is watched in by default: the stack's files,
// functions, and the folders of other services. Whoever says what to watch means all of it.
func sourcesOfOthers(stack *config.Stack, s *config.Service) (others []string) {
	if len(s.Watch) != 1 || s.Watch[0] != s.Dir && s.Watch[0] != s.Build {
		return nil
	}
	folder := s.Watch[0]
	add := func(path string) {
		if path != folder && inside(path, folder) {
			others = append(others, path)
		}
	}
	for _, path := range stack.Files {
		add(path)
	}
	for _, r := range stack.Resources {
		switch r := r.(type) {
		case *config.Function:
			add(r.Source)
		case *config.Service:
			add(r.Dir)
			add(r.Build)
		}
	}
	return others
}

// inside reports whether a path is a folder or file itself, or below it.
func inside(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// unwatch ends all subscriptions.
func (d *daemon) unwatch() {
	for _, w := range d.serviceWatch {
		w.cancel()
	}
	clear(d.serviceWatch)
	if d.stackWatch.cancel != nil {
		d.stackWatch.cancel()
	}
	if d.watch != nil {
		d.watch.Close()
	}
}

// reloaded tells of a function's new build.
func (d *daemon) reloaded(key string, ev function.Reload) {
	_, name, deployed := strings.Cut(key, ":function:")
	if deployed {
		key = name
	}
	source := "function." + key
	switch {
	case ev.Err != nil:
		d.logs.Say(source, mistake(ev.Function, ev.Err))
	case ev.Path != "" && !deployed:
		d.logs.Say(source, fmt.Sprintf("live again after %s, in %d ms", d.relative(ev.Path), ev.Took.Milliseconds()))
	}
}

// mistake is why a function cannot be built or loaded, as a person reads it: what the build has printed, or the reason with its place and
// the lines around it.
func mistake(fn *config.Function, err error) string {
	var build *function.BuildError
	if f, ok := function.FaultOf(fn, err); ok && !errors.As(err, &build) {
		return strings.TrimSpace(f.String() + "\n" + f.Frame)
	}
	return err.Error()
}

// relative is a path as the stack's developer thinks of it.
func (d *daemon) relative(path string) string {
	if inside(path, d.dir) {
		path, _ = filepath.Rel(d.dir, path)
	}
	return path
}
