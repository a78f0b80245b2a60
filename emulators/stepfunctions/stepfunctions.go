// Package stepfunctions is the emulator of AWS Step Functions: state machines in the Amazon States Language, their
// executions and the histories of those.
//
// An execution is a tree of branches: the machine's own states, and below a Parallel or Map state one for each of its
// branches or items. Each branch is walked by its own goroutine. What it does becomes events of the history, and where it
// is becomes its frame; both are stored together, before anything is done that the world can see, so that a standard
// execution goes on from there after a restart. An express execution is not stored.
package stepfunctions

import (
	"devstack/emulators/kit"
	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service stepfunctions -model sfn -operations operations.txt

var (
	machines   = store.NewTable[machine]("machines")     // by account, region and name
	revisions  = store.NewTable[revision]("revisions")   // by machine's UID and revision
	executions = store.NewTable[execution]("executions") // by ARN
	byStart    = store.NewTable[string]("by_start")      // ARN, by machine's UID and the start, the latest first
	running    = store.NewTable[string]("running")       // ARN, by ARN
	events     = store.NewTable[event]("events")         // by execution's ARN and event id
	frames     = store.NewTable[frame]("frames")         // by execution's ARN and path
	tokens     = store.NewTable[waiter]("tokens")        // by task token
)

// operations implements the generated api interface.
type operations struct {
	kit.Env
	engine *Service
}

// New returns the Step Functions emulator and what carries out its executions. Nothing that was running before goes on until
// Resume is called; Close must be called before the store is closed.
func New(env kit.Env) (*wire.Service, *Service) {
	s := &Service{Env: env, runs: map[string]*run{}, listeners: map[string]*listener{}, graphs: map[string]*asl.Machine{}}
	return register(&operations{env, s}), s
}
