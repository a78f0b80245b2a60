// Package asl reads definitions in the Amazon States Language into a graph that an interpreter can walk, and says in AWS's
// words what is wrong with those that it cannot read.
//
// https://states-language.net and https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
package asl

import (
	"encoding/json"
	"time"

	"devstack/emulators/stepfunctions/jsonpath"
)

// Language is how a state refers to data: its QueryLanguage.
type Language string

// JSONPath is the language of states that name none. A definition that names another is refused.
const JSONPath Language = "JSONPath"

// Machine is a graph of states: a whole definition, a branch of a Parallel state, or what a Map state runs for each item.
type Machine struct {
	StartAt string
	States  map[string]*State
	Timeout time.Duration // of an execution; 0: none

	order []string // of States, in the definition
}

// Tasks yields the Task states of all depths with their places in the definition.
func (m *Machine) Tasks(yield func(at string, s *State) bool) { m.tasks("", yield) }

func (m *Machine) tasks(at string, yield func(string, *State) bool) bool {
	for _, name := range m.order {
		s, here := m.States[name], at+"/States/"+name
		if s.Type == Task && !yield(here, s) {
			return false
		}
		for i, b := range s.Branches {
			if !b.tasks(index(here+"/Branches", i), yield) {
				return false
			}
		}
		if s.Processor != nil && !s.Processor.tasks(here+"/ItemProcessor", yield) {
			return false
		}
	}
	return true
}

// Type is the kind of a state.
type Type string

// The types, in the order of AWS's messages.
const (
	Task     Type = "Task"
	Wait     Type = "Wait"
	Pass     Type = "Pass"
	Succeed  Type = "Succeed"
	Fail     Type = "Fail"
	Choice   Type = "Choice"
	Parallel Type = "Parallel"
	Map      Type = "Map"
)

// State is one state. Members that its type does not have are zero.
type State struct {
	Name     string
	Type     Type
	Language Language
	Next     string // "": the state is terminal, or a Choice

	InputPath, OutputPath PathField
	ResultPath            PathField
	Parameters            *Template // also a Map's ItemSelector's predecessor
	ResultSelector        *Template
	Retry                 []Retrier
	Catch                 []Catcher

	Result    any // Pass
	HasResult bool

	Resource  *Resource // Task
	Timeout   Number    // seconds
	Heartbeat Number    // seconds

	Rules   []Rule // Choice
	Default string

	Wait Waiting // Wait

	Error, Cause Text // Fail

	Branches []*Machine // Parallel

	Processor      *Machine // Map
	ItemsPath      *jsonpath.Path
	ItemSelector   *Template
	MaxConcurrency Number
}

// PathField is a field such as InputPath. Its zero value is "$".
type PathField struct {
	Null bool           // the field was null: nothing in, nothing out, or the result dropped
	Path *jsonpath.Path // nil: "$"
}

// Whole reports whether the field selects everything.
func (f PathField) Whole() bool { return !f.Null && (f.Path == nil || f.Path.Root()) }

// Number is a number that a definition gives as such or by a path.
type Number struct {
	Value int64          // 0: not given
	Path  *jsonpath.Path // of the state's input
}

// Text is a string that a definition gives as such, by a path, or by an intrinsic function.
type Text struct {
	Given bool
	Value string
	Expr  *Expr  // of Field
	Field string // "ErrorPath"
}

// Waiting is how long a Wait state waits: one of its members is set.
type Waiting struct {
	Seconds       *json.Number
	Timestamp     *time.Time
	SecondsPath   *jsonpath.Path
	TimestampPath *jsonpath.Path
}

// Retrier says which errors to retry, and how.
type Retrier struct {
	ErrorEquals []string
	Interval    time.Duration // before the first retry
	MaxAttempts int
	BackoffRate float64
	MaxDelay    time.Duration // 0: none
	FullJitter  bool          // wait a random part of the delay
}

// Catcher says which errors lead where.
type Catcher struct {
	ErrorEquals []string
	Next        string
	ResultPath  PathField
}
