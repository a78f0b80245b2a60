// Package plan works out what has to happen for one stack to become another.
package plan

import (
	"slices"

	"devstack/runtime/config"
)

// Action is what a Step does.
type Action int

// The actions. A resource that stays as it is has no step.
const (
	Create Action = iota
	Update
	Delete
)

// String returns "create", "update" or "delete".
func (a Action) String() string { return [...]string{"create", "update", "delete"}[a] }

// Step is one change of a stack.
type Step struct {
	Action   Action
	ID       config.ID
	Old, New config.Resource // Old is nil for a Create, New for a Delete
	After    []config.ID     // whose steps are done first
}

// Diff returns the steps that turn old into new, either of which may be nil, in an order in which they can be carried
// out one by one. Steps that are not After each other may go side by side.
//
// What is needed comes before what needs it, and goes after it. What is gone stops after what used it has been started
// without it, unless something new takes its port or its name. A table, cache or state machine whose block only got
// another label goes on in AWS as the new block's, so the delete of the old block comes last. A resource is not updated
// because one that it needs is: only its own values count.
func Diff(old, new *config.Stack) []Step {
	d := &differ{old: index(old), new: index(new), steps: map[config.ID]*Step{}}
	for _, r := range resources(new) {
		id := r.Base().ID
		switch before := d.old[id]; {
		case before == nil:
			d.add(&Step{Action: Create, ID: id, New: r})
		case !config.Equal(before, r):
			d.add(&Step{Action: Update, ID: id, Old: before, New: r})
		}
	}
	for _, r := range slices.Backward(resources(old)) {
		if id := r.Base().ID; d.new[id] == nil {
			d.add(&Step{Action: Delete, ID: id, Old: r})
		}
	}
	d.needs()
	d.conflicts()
	d.users()
	return d.sorted()
}

func resources(s *config.Stack) []config.Resource {
	if s == nil {
		return nil
	}
	return s.Resources
}

func index(s *config.Stack) map[config.ID]config.Resource {
	m := map[config.ID]config.Resource{}
	for _, r := range resources(s) {
		m[r.Base().ID] = r
	}
	return m
}

// differ is one Diff under way.
type differ struct {
	old, new map[config.ID]config.Resource
	steps    map[config.ID]*Step
	order    []*Step // as in the files: creates and updates, then deletes
}

func (d *differ) add(s *Step) {
	d.steps[s.ID] = s
	d.order = append(d.order, s)
}

// needs orders starts after the starts of what they need, and deletes before those. Neither can be a cycle, since
// neither stack has one.
func (d *differ) needs() {
	for _, s := range d.order {
		if s.Action != Delete {
			for _, id := range s.New.Base().Needs {
				if d.steps[id] != nil && id != s.ID {
					s.After = append(s.After, id)
				}
			}
			continue
		}
		for _, user := range d.order {
			if user.Action == Delete && user != s && slices.Contains(user.Old.Base().Needs, s.ID) {
				s.After = append(s.After, user.ID)
			}
		}
	}
}

// conflicts orders a start after what frees the port or the name that it takes, and a delete after what inherits from it.
func (d *differ) conflicts() {
	for _, s := range d.order {
		if s.Action == Delete {
			continue
		}
		for _, holder := range d.order {
			switch {
			case holder == s || holder.Old == nil:
			case inherits(s, holder):
				d.tryAfter(holder, s)
			case frees(holder, s):
				d.tryAfter(s, holder)
			}
		}
	}
}

// inherits reports whether s creates what the other deletes under the same name in AWS: provisioning takes it over and
// keeps what is in it.
func inherits(s, other *Step) bool {
	if other.Action != Delete || s.Action != Create || s.ID.Type != other.ID.Type {
		return false
	}
	switch s.ID.Type {
	case "table", "cache", "state_machine":
		return claims(s.New)[0] == claims(other.Old)[0]
	}
	return false
}

// frees reports whether the holder's step gives up something that the other's new resource has.
func frees(holder, s *Step) bool {
	for _, claim := range claims(holder.Old) {
		if slices.Contains(claims(s.New), claim) && (holder.New == nil || !slices.Contains(claims(holder.New), claim)) {
			return true
		}
	}
	return false
}

// claim is something that only one resource can have at a time.
type claim struct {
	what string // "port", or the block type of a name
	port int
	name string
}

// claims returns what a resource has to itself, its name first.
func claims(r config.Resource) []claim {
	switch r := r.(type) {
	case *config.Table:
		return []claim{{what: "table", name: r.Name}}
	case *config.Cache:
		return []claim{{what: "cache", name: r.Name}, {what: "port", port: r.Port}}
	case *config.Function:
		return []claim{{what: "function", name: r.Name}}
	case *config.StateMachine:
		return []claim{{what: "state_machine", name: r.Name}}
	case *config.API:
		return []claim{{what: "api", name: r.Name}, {what: "port", port: r.Port}}
	case *config.Service:
		all := []claim{{what: "service", name: r.Name}, {what: "port", port: r.ProxyPort}}
		if r.Port != 0 && r.Image == "" && r.Build == "" {
			all = append(all, claim{what: "port", port: r.Port})
		}
		return all
	}
	return nil
}

// users orders a delete after the updates of what used it, so that nothing runs with a value that is gone.
func (d *differ) users() {
	for _, s := range d.order {
		if s.Action != Delete {
			continue
		}
		for _, user := range d.order {
			if user.Action == Update && slices.Contains(user.Old.Base().Needs, s.ID) {
				d.tryAfter(s, user)
			}
		}
	}
}

// tryAfter orders s after another step unless that one waits for s already.
func (d *differ) tryAfter(s, other *Step) {
	if !slices.Contains(s.After, other.ID) && !d.waits(other, s, map[config.ID]bool{}) {
		s.After = append(s.After, other.ID)
	}
}

// waits reports whether s comes after other, directly or not.
func (d *differ) waits(s, other *Step, seen map[config.ID]bool) bool {
	if s == other {
		return true
	}
	seen[s.ID] = true
	for _, id := range s.After {
		if !seen[id] && d.waits(d.steps[id], other, seen) {
			return true
		}
	}
	return false
}

// sorted returns the steps in the files' order as far as After allows.
func (d *differ) sorted() []Step {
	var steps []Step
	placed := map[config.ID]bool{}
	var place func(s *Step)
	place = func(s *Step) {
		if placed[s.ID] {
			return
		}
		placed[s.ID] = true
		for _, id := range s.After {
			place(d.steps[id])
		}
		steps = append(steps, *s)
	}
	for _, s := range d.order {
		place(s)
	}
	return steps
}
