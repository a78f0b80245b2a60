package supervise

import "devstack/runtime/config"

// Action is what a Step does.
type Action int

// The actions.
const (
	Create Action = iota
	Update
	Delete
)

// Step is one change of a stack.
type Step struct {
	Action   Action
	ID       config.ID
	Old, New config.Resource // Old is nil for a Create, New for a Delete
	After    []config.ID     // that are done first
}
