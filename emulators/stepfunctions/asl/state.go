package asl

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"devstack/emulators/stepfunctions/value"
)

// types are all that AWS knows, in the order of its message.
var types = []Type{Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map}

// fields are those that each type has, besides those of all.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
var fields = map[Type][]string{
	Task: {"Next", "End", "InputPath", "OutputPath", "Resource", "Parameters", "Arguments", "Output", "ResultSelector", "ResultPath", "Retry", "Catch",
		"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials", "Assign"},
	Pass:    {"Next", "End", "InputPath", "OutputPath", "Parameters", "Result", "ResultPath", "Assign", "Output"},
	Wait:    {"Next", "End", "InputPath", "OutputPath", "Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign", "Output"},
	Choice:  {"InputPath", "OutputPath", "Choices", "Default", "Assign", "Output"},
	Succeed: {"InputPath", "OutputPath", "Output"},
	Fail:    {"Error", "Cause", "ErrorPath", "CausePath"},
	Parallel: {"Next", "End", "InputPath", "OutputPath", "Branches", "Parameters", "Arguments", "Output", "ResultSelector", "ResultPath", "Retry",
		"Catch", "Assign"},
	Map: {"Next", "End", "InputPath", "OutputPath", "Parameters", "Items", "Output", "ResultSelector", "ResultPath", "Retry", "Catch", "Assign",
		"ItemsPath", "ItemSelector", "ItemProcessor", "Iterator", "MaxConcurrency", "MaxConcurrencyPath", "ItemReader", "ItemBatcher", "ResultWriter",
		"Label", "ToleratedFailureCount", "ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"},
}

// later are the fields that belong to features that we do not do, with the feature's name.
var later = map[string]string{
	"Assign":                         "workflow variables (Assign)",
	"Credentials":                    "a Task's Credentials",
	"ItemReader":                     "distributed Map (ItemReader)",
	"ItemBatcher":                    "distributed Map (ItemBatcher)",
	"ResultWriter":                   "distributed Map (ResultWriter)",
	"Label":                          "distributed Map (Label)",
	"ToleratedFailureCount":          "distributed Map (ToleratedFailureCount)",
	"ToleratedFailureCountPath":      "distributed Map (ToleratedFailureCountPath)",
	"ToleratedFailurePercentage":     "distributed Map (ToleratedFailurePercentage)",
	"ToleratedFailurePercentagePath": "distributed Map (ToleratedFailurePercentagePath)",
}

// jsonata are the fields of states that use JSONata.
var jsonata = []string{"Arguments", "Output", "Items", "Condition"}

// refuse reports the fields of an object that belong to what we do not do, or to the other query language. (The answer for
// those is AWS's, as reported in https://github.com/floci-io/floci/issues/2968.)
func (n node) refuse() {
	for _, k := range n.o.Keys() {
		if feature, ok := later[k]; ok {
			n.c.unsupported(n.at+"/"+k, feature)
		}
		if slices.Contains(jsonata, k) {
			n.c.schema(n.at, "The QueryLanguage is set to 'JSONPath', but field '%s' is only supported for the 'JSONata' QueryLanguage", k)
		}
	}
}

func (c *compiler) state(name string, v any, at string, depth int) *State {
	o, ok := v.(*value.Object)
	s := &State{Name: name, Language: JSONPath}
	if !ok {
		c.expected(at, "Object")
		return s
	}
	n := c.node(o, at)
	if utf8.RuneCountInString(name) > maxStateName { // the words are a guess
		c.schema(at, "State name cannot be longer than %d characters", maxStateName)
	}
	if c.names[name] { // from memory of AWS's answers
		c.report(DuplicateState, at, "Duplicate State name: %s", name)
	}
	c.names[name] = true
	if !n.require("Type") {
		return s
	}
	s.Type = Type(n.text("Type"))
	if !slices.Contains(types, s.Type) {
		names := make([]string, len(types))
		for i, t := range types {
			names[i] = string(t)
		}
		c.schema(at+"/Type", "The field 'Type' should have one of these values: [%s]", strings.Join(names, ", "))
		return s
	}
	n.allow(append([]string{"Type", "Comment", "QueryLanguage"}, fields[s.Type]...)...)
	n.refuse()
	c.language(n)
	s.InputPath, s.OutputPath = n.pathField("InputPath"), n.pathField("OutputPath")
	c.payload(n, s)
	c.transition(n, s)
	c.ofType(n, s, depth)
	return s
}

// payload reads the fields that shape what goes in and comes out.
func (c *compiler) payload(n node, s *State) {
	s.Parameters = n.template("Parameters")
	s.ResultSelector = n.template("ResultSelector")
	s.ResultPath = n.resultPath()
	if s.Type == Task || s.Type == Parallel || s.Type == Map {
		s.Retry, s.Catch = c.retriers(n), c.catchers(n)
	}
}

// resultPath reads a ResultPath: a place in the input, and not in the context object.
func (n node) resultPath() PathField {
	f := n.pathField("ResultPath")
	if f.Path != nil && (!f.Path.Reference() || f.Path.Context()) {
		n.c.schema(n.at+"/ResultPath", "Value is not a Reference Path: The path '%s' does not select one place", f.Path)
	}
	return f
}

// transition reads Next and End, of which there must be one where the type has them.
func (c *compiler) transition(n node, s *State) {
	if !slices.Contains(fields[s.Type], "Next") {
		return
	}
	s.Next = n.text("Next")
	end := n.boolean("End")
	switch { // the words of both are a guess
	case s.Next == "" && !end:
		c.schema(n.at, "One of these fields is required: [Next, End]")
	case s.Next != "" && end:
		c.schema(n.at, "Only one of these fields is allowed: [Next, End]")
	}
}

func (c *compiler) ofType(n node, s *State, depth int) {
	switch s.Type {
	case Pass:
		s.Result, s.HasResult = n.o.Get("Result")
	case Task:
		if n.require("Resource") {
			s.Resource = c.resource(n.text("Resource"), n.at+"/Resource")
		}
		s.Timeout = n.number("TimeoutSeconds", 1, maxTimeout)
		s.Heartbeat = n.number("HeartbeatSeconds", 1, maxTimeout)
		if s.Heartbeat.Value > 0 && s.Timeout.Value > 0 && s.Heartbeat.Value >= s.Timeout.Value { // the words are a guess
			c.schema(n.at, "HeartbeatSeconds must be less than TimeoutSeconds")
		}
	case Wait:
		c.waiting(n, s)
	case Choice:
		c.choices(n, s)
	case Fail:
		s.Error, s.Cause = c.failText(n, "Error"), c.failText(n, "Cause")
	case Parallel:
		c.branches(n, s, depth)
	case Map:
		c.mapState(n, s, depth)
	}
}

func (c *compiler) waiting(n node, s *State) {
	var given []string
	for _, f := range []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"} {
		if n.has(f) {
			given = append(given, f)
		}
	}
	if len(given) != 1 { // the words are a guess
		c.schema(n.at, "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]")
		return
	}
	switch given[0] {
	case "Seconds":
		seconds := value.Int(n.integer("Seconds", 0, maxTimeout, 0))
		s.Wait.Seconds = (*json.Number)(&seconds)
	case "Timestamp":
		t, ok := Timestamp(n.text("Timestamp"))
		if !ok {
			c.schema(n.at+"/Timestamp", msgTimestamp)
		}
		s.Wait.Timestamp = &t
	case "SecondsPath":
		s.Wait.SecondsPath = n.referencePath("SecondsPath")
	case "TimestampPath":
		s.Wait.TimestampPath = n.referencePath("TimestampPath")
	}
}

func (c *compiler) choices(n node, s *State) {
	n.require("Choices")
	s.Default = n.text("Default")
	for i, v := range n.list("Choices") {
		at := index(n.at+"/Choices", i)
		o, ok := v.(*value.Object)
		if !ok {
			c.expected(at, "Object")
			continue
		}
		rule := c.node(o, at)
		if rule.has("Condition") || rule.has("Assign") || rule.has("Output") {
			rule.refuse()
			continue
		}
		rule.require("Next")
		s.Rules = append(s.Rules, Rule{Condition: c.condition(o, at, 0), Next: rule.text("Next")})
	}
}

// failText reads Error or Cause, or the path or function that gives it.
func (c *compiler) failText(n node, field string) Text {
	pathField := field + "Path"
	if n.has(field) && n.has(pathField) {
		c.schema(n.at, "Only one of these fields is allowed: [%s, %s]", field, pathField) // the words are a guess
	}
	if !n.has(pathField) {
		return Text{Given: n.has(field), Value: n.text(field)}
	}
	e, err := ParseExpr(n.text(pathField))
	if err != nil && !c.variable(err, pathField, n.at) {
		c.schema(n.at, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", pathField)
	}
	return Text{Given: true, Expr: e, Field: pathField}
}

func (c *compiler) branches(n node, s *State, depth int) {
	n.require("Branches")
	for i, v := range n.list("Branches") {
		at := index(n.at+"/Branches", i)
		o, ok := v.(*value.Object)
		if !ok {
			c.expected(at, "Object")
			continue
		}
		c.node(o, at).allow("Comment", "StartAt", "States")
		s.Branches = append(s.Branches, c.machine(o, at, depth+1))
	}
}

func (c *compiler) mapState(n node, s *State, depth int) {
	s.ItemsPath = n.path("ItemsPath")
	s.ItemSelector = n.template("ItemSelector")
	if s.ItemSelector == nil {
		s.ItemSelector, s.Parameters = s.Parameters, nil
	} else if s.Parameters != nil { // the words are a guess
		c.schema(n.at, "Only one of these fields is allowed: [ItemSelector, Parameters]")
	}
	s.MaxConcurrency = n.number("MaxConcurrency", 0, math.MaxInt32)
	field := "ItemProcessor"
	if !n.has(field) {
		field = "Iterator"
	}
	if !n.has(field) {
		n.require("ItemProcessor")
		return
	}
	if n.has("ItemProcessor") && n.has("Iterator") { // the words are a guess
		c.schema(n.at, "Only one of these fields is allowed: [ItemProcessor, Iterator]")
	}
	o := n.object(field)
	if o == nil {
		return
	}
	p := c.node(o, n.at+"/"+field)
	p.allow("Comment", "StartAt", "States", "ProcessorConfig")
	if config := p.object("ProcessorConfig"); config != nil {
		c.processorConfig(c.node(config, p.at+"/ProcessorConfig"))
	}
	s.Processor = c.machine(o, p.at, depth+1)
}

func (c *compiler) processorConfig(n node) {
	n.allow("Mode", "ExecutionType", "Comment")
	switch mode := n.text("Mode"); {
	case mode == "DISTRIBUTED":
		c.unsupported(n.at+"/Mode", "distributed Map (Mode DISTRIBUTED)")
	case n.has("Mode") && mode != "INLINE":
		c.schema(n.at+"/Mode", "The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED]")
	case n.has("ExecutionType"): // the words are a guess
		c.schema(n.at, "Field 'ExecutionType' is not supported")
	}
}

func (c *compiler) retriers(n node) []Retrier {
	var out []Retrier
	if v, ok := n.o.Get("Retry"); ok {
		if l, isList := v.([]any); isList && len(l) == 0 {
			return nil // allowed (recorded answer)
		}
	}
	list := n.list("Retry")
	for i, v := range list {
		at := index(n.at+"/Retry", i)
		o, ok := v.(*value.Object)
		if !ok {
			c.expected(at, "Object")
			continue
		}
		r := c.node(o, at)
		r.require("ErrorEquals")
		r.allow("ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment")
		out = append(out, Retrier{
			ErrorEquals: c.errorEquals(r, i == len(list)-1),
			Interval:    time.Duration(r.integer("IntervalSeconds", 1, maxTimeout, 1)) * time.Second,
			MaxAttempts: int(r.integer("MaxAttempts", 0, maxTimeout, 3)),
			BackoffRate: c.backoffRate(r),
			MaxDelay:    time.Duration(r.integer("MaxDelaySeconds", 1, 31_622_400, 0)) * time.Second,
			FullJitter:  c.jitter(r),
		})
	}
	return out
}

func (c *compiler) backoffRate(r node) float64 {
	v, ok := r.o.Get("BackoffRate")
	if !ok {
		return 2
	}
	num, _ := v.(json.Number)
	f, err := num.Float64()
	if err != nil || f < 1 { // the words are a guess
		c.schema(r.at+"/BackoffRate", "Value must be a number of at least 1.0")
	}
	return f
}

func (c *compiler) jitter(r node) bool {
	s := r.text("JitterStrategy")
	if r.has("JitterStrategy") && s != "FULL" && s != "NONE" {
		c.schema(r.at+"/JitterStrategy", "The field 'JitterStrategy' should have one of these values: [FULL, NONE]")
	}
	return s == "FULL"
}

// errorEquals reads the names of errors. States.ALL stands alone, and in the last retrier or catcher.
func (c *compiler) errorEquals(n node, last bool) []string {
	names := n.strings("ErrorEquals")
	if slices.Contains(names, "States.ALL") && (len(names) > 1 || !last) { // the words are a guess
		c.schema(n.at+"/ErrorEquals", "States.ALL must appear alone and at the end of the list")
	}
	return names
}

func (c *compiler) catchers(n node) []Catcher {
	var out []Catcher
	if v, ok := n.o.Get("Catch"); ok {
		if l, isList := v.([]any); isList && len(l) == 0 {
			return nil
		}
	}
	list := n.list("Catch")
	for i, v := range list {
		at := index(n.at+"/Catch", i)
		o, ok := v.(*value.Object)
		if !ok {
			c.expected(at, "Object")
			continue
		}
		k := c.node(o, at)
		k.require("ErrorEquals", "Next")
		k.allow("ErrorEquals", "Next", "ResultPath", "Comment", "Assign", "Output")
		k.refuse()
		out = append(out, Catcher{ErrorEquals: c.errorEquals(k, i == len(list)-1), Next: k.text("Next"), ResultPath: k.resultPath()})
	}
	return out
}
