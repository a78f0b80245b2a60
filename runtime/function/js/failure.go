package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"devstack/runtime/function"
)

// errorBody is what Lambda's Node runtime sends for a failed invocation, in its order.
//
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
type errorBody struct {
	Type    string     `json:"errorType"`
	Message string     `json:"errorMessage"`
	Reason  *errorBody `json:"reason,omitempty"`  // of an unhandled rejection
	Promise *struct{}  `json:"promise,omitempty"` // the same
	Trace   []string   `json:"trace"`
}

// rejection is a rejected promise that nobody handled.
type rejection struct{ reason goja.Value }

// Error says that there was one.
func (r *rejection) Error() string { return "unhandled promise rejection" }

// rejected is what a module's own promise was rejected with: an exception of the module.
type rejected struct{ reason goja.Value }

// Error says that there was one.
func (r *rejected) Error() string { return "the module was rejected" }

// uncaughtRejection returns the first rejection that nobody has handled, nil if there is none.
func (s *sandbox) uncaughtRejection() error {
	for p := range s.rejected {
		clear(s.rejected)
		return &rejection{p.Result()}
	}
	return nil
}

// describe makes the body of anything thrown. What is no Error has its typeof as type, and no trace.
// One that cannot be read, because its getters throw, is described as Lambda describes it.
func (s *sandbox) describe(v goja.Value) (body *errorBody) {
	ex := s.rt.Try(func() {
		if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
			return // they have no toString
		}
		obj, ok := v.(*goja.Object)
		if !ok || obj.ClassName() != "Error" && !isString(obj.Get("stack")) {
			body = &errorBody{Type: typeOf(v), Message: v.String(), Trace: []string{}}
			return
		}
		body = &errorBody{Type: s.stringOf(obj.Get("name")), Message: s.stringOf(obj.Get("message")), Trace: s.trace(obj)}
	})
	if ex != nil || body == nil {
		const unreadable = "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack"
		return &errorBody{Type: "handled", Message: unreadable, Trace: []string{}}
	}
	return body
}

func isString(v goja.Value) bool {
	_, ok := v.(goja.String)
	return ok
}

func typeOf(v goja.Value) string {
	switch v := v.(type) {
	case *goja.Object:
		if _, ok := goja.AssertFunction(v); ok {
			return "function"
		}
		return "object"
	case goja.String:
		return "string"
	case *goja.Symbol:
		return "symbol"
	default:
		if v == nil || goja.IsUndefined(v) {
			return "undefined"
		}
		if goja.IsNull(v) {
			return "object"
		}
		switch v.Export().(type) {
		case bool:
			return "boolean"
		case int64, float64:
			return "number"
		}
		return "bigint"
	}
}

// stringOf is String(v), whatever v's own toString does.
func (s *sandbox) stringOf(v goja.Value) (text string) {
	if v == nil {
		return "undefined"
	}
	if ex := s.rt.Try(func() { text = v.String() }); ex != nil {
		return "[object]"
	}
	return text
}

// trace is an error's stack as V8 would list it: the head, then "    at function (file:line:column)".
func (s *sandbox) trace(obj *goja.Object) []string {
	var stack goja.Value
	if ex := s.rt.Try(func() { stack = obj.Get("stack") }); ex != nil || stack == nil {
		return []string{}
	}
	return strings.Split(v8Stack(s.stringOf(stack)), "\n")
}

// v8Stack rewrites a stack as goja writes it ("\tat f (file:3:9(12))") to V8's form. Frames of the engine itself go.
func v8Stack(stack string) string {
	if !strings.Contains(stack, "\n\tat ") && !strings.HasSuffix(stack, "\n") {
		return stack // set by the script itself, or rewritten already
	}
	lines := strings.Split(strings.TrimRight(stack, "\n"), "\n")
	out := lines[:0]
	for _, l := range lines {
		frame, ok := strings.CutPrefix(l, "\tat ")
		if !ok {
			out = append(out, l)
			continue
		}
		if strings.HasSuffix(frame, "(native)") || strings.Contains(frame, preludeName) {
			continue
		}
		out = append(out, "    at "+v8Frame(frame))
	}
	return strings.Join(out, "\n")
}

// v8Frame rewrites a frame "f (a.ts:3:8(12))" to V8's "f (a.ts:3:9)": no program counter, and columns that count from 1
// where the source map, which counts from 0, gave them.
func v8Frame(frame string) string {
	name, place := "", frame
	if i := strings.LastIndex(frame, " ("); i >= 0 && strings.HasSuffix(frame, "))") {
		name, place = frame[:i], frame[i+2:len(frame)-1]
	}
	if i := strings.LastIndexByte(place, '('); i > 0 && strings.HasSuffix(place, ")") {
		place = place[:i]
	}
	if i := strings.LastIndexByte(place, ':'); i > 0 && !strings.HasPrefix(place, "devstack:") && !strings.HasPrefix(place, scriptName+":") {
		if column, err := strconv.Atoi(place[i+1:]); err == nil {
			place = place[:i+1] + strconv.Itoa(column+1)
		}
	}
	if name == "" {
		return place
	}
	return name + " (" + place + ")"
}

// thrown is the outcome of a handler that threw v. It is logged as Lambda's runtime logs it.
func (s *sandbox) thrown(v goja.Value, what string) *function.FunctionError {
	body := s.describe(v)
	s.logError(what, v, body)
	return &function.FunctionError{Type: body.Type, Payload: marshal(body)}
}

// logError writes a line "…	ERROR	Invoke Error 	{"errorType":…,"errorMessage":…,…,"stack":[…]}" with the error's own
// enumerable members between.
func (s *sandbox) logError(what string, v goja.Value, body *errorBody) {
	var b strings.Builder
	b.WriteString(`{"errorType":` + quote(body.Type) + `,"errorMessage":` + quote(body.Message))
	if obj, ok := v.(*goja.Object); ok {
		s.rt.Try(func() { // what cannot be read is left out
			for _, k := range obj.Keys() {
				if k == "name" || k == "message" || k == "stack" {
					continue
				}
				if text, err := s.stringify(obj.Get(k)); err == nil {
					b.WriteString("," + quote(k) + ":" + text)
				}
			}
		})
	}
	b.WriteString(`,"stack":` + string(marshal(body.Trace)) + "}")
	s.printError(what+" \t"+b.String(), v, body)
}

// printError logs an error at the level ERROR: the text, or in the format JSON the value itself. What is no Error is made one there.
func (s *sandbox) printError(text string, v goja.Value, body *errorBody) {
	if s.errorLogger == nil {
		s.logLine("ERROR", text)
		return
	}
	if obj, ok := v.(*goja.Object); !ok || obj.ClassName() != "Error" {
		made, err := s.rt.New(s.rt.Get("Error"), s.rt.ToValue(body.Message))
		if err == nil {
			_ = made.Set("errorType", body.Type)
			_ = made.Set("stackTrace", s.rt.NewArray(anys(body.Trace)...))
			v = made
		}
	}
	if _, err := s.errorLogger(goja.Undefined(), s.rt.ToValue(text), v); err != nil {
		s.logLine("ERROR", text)
	}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = x
	}
	return out
}

// fatal is the outcome of what ended the sandbox.
func (s *sandbox) fatal(err error) error {
	var ex *goja.Exception
	var unhandled *rejection
	var module *rejected
	var overflow *goja.StackOverflowError
	var stopped *goja.InterruptedError
	switch {
	case errors.As(err, &stopped):
		if cause, ok := stopped.Value().(error); ok {
			return s.stopped(cause)
		}
		return err
	case errors.As(err, &unhandled):
		reason := s.describe(unhandled.reason)
		message := s.stringOf(unhandled.reason)
		body := &errorBody{Type: "Runtime.UnhandledPromiseRejection", Message: message, Reason: reason, Promise: &struct{}{}}
		body.Trace = append([]string{body.Type + ": " + message}, reason.Trace[min(1, len(reason.Trace)):]...)
		s.logError("Unhandled Promise Rejection", unhandled.reason, body)
		return &function.FunctionError{Type: body.Type, Payload: marshal(body)}
	case errors.As(err, &overflow):
		const message = "Maximum call stack size exceeded"
		body := &errorBody{Type: "RangeError", Message: message, Trace: []string{"RangeError: " + message}}
		s.logError("Uncaught Exception", goja.Undefined(), body)
		return &function.FunctionError{Type: body.Type, Payload: marshal(body)}
	case errors.As(err, &ex):
		return s.thrown(ex.Value(), "Uncaught Exception")
	case errors.As(err, &module):
		return s.thrown(module.reason, "Uncaught Exception")
	}
	return s.stopped(err)
}

// killed is how a process ends that uses more memory than it may.
const killed = "signal: killed"

// stopped is the outcome of a sandbox that something other than an exception has ended.
func (s *sandbox) stopped(err error) error {
	var exit *function.ExitError
	if errors.As(err, &exit) && exit.Status == killed {
		s.logLine("ERROR", fmt.Sprintf("The heap has grown by more than the function's %d MB: the sandbox is ended", s.memoryLimit()>>20))
	}
	return err
}

// initError is the failure of a module that threw while it was loaded.
func (s *sandbox) initError(err error) error {
	out := s.fatal(err)
	var fe *function.FunctionError
	if errors.As(out, &fe) {
		return &function.InitError{Type: fe.Type, Payload: fe.Payload}
	}
	return out
}

// initFailure is a failure that the runtime itself finds while it loads a function.
func (s *sandbox) initFailure(typ, message string) error {
	body := &errorBody{Type: typ, Message: message, Trace: []string{typ + ": " + message}}
	s.logError("Uncaught Exception", goja.Undefined(), body)
	return &function.InitError{Type: typ, Payload: marshal(body)}
}

// sentence is an error in a JavaScript engine's own words, for a script to read.
type sentence string

// Error returns the sentence.
func (s sentence) Error() string { return string(s) }

// hostError makes a value to reject with of an error that Go code returned.
func (s *sandbox) hostError(err error) goja.Value {
	var ae awsError
	if errors.As(err, &ae) {
		return s.awsFailure(err, ae)
	}
	name, message := "Error", err.Error()
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		name = "AbortError"
	}
	obj, newErr := s.rt.New(s.rt.Get("Error"), s.rt.ToValue(message))
	if newErr != nil {
		return s.rt.ToValue(message)
	}
	if name != "Error" {
		_ = obj.DefineDataProperty("name", s.rt.ToValue(name), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
	return obj
}

// throw raises an Error of a constructor by its name from Go code that a script has called.
func (s *sandbox) throw(constructor, format string, args ...any) {
	obj, err := s.rt.New(s.rt.Get(constructor), s.rt.ToValue(fmt.Sprintf(format, args...)))
	if err != nil {
		panic(s.rt.ToValue(err.Error()))
	}
	panic(obj)
}

func quote(s string) string { return string(marshal(s)) }

// marshal is JSON without the escapes that encoding/json adds for HTML.
func marshal(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // strings and slices of them always marshal
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
