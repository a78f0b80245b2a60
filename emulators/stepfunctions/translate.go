package stepfunctions

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/wire"
)

// Models is what a kit.Caller may offer besides Call: the model of a service by its package's name, nil if there is none.
// With it the parameters and results of tasks are translated exactly; without it only those of our own service are.
type Models interface {
	Model(service string) *wire.Model
}

// translation turns the parameters of a task into an operation's input, and its output into the task's result: members in the
// States Language begin with a capital letter, timestamps are text, blobs are text.
type translation struct {
	model     *wire.Model // nil: unknown, nothing is translated
	operation *wire.Operation
	millis    bool // timestamps of results are milliseconds, as in the optimised integrations
}

func (e *Service) translate(service, operation string, millis bool) translation {
	t := translation{millis: millis}
	if service == model.Service {
		t.model = &model
	} else if m, ok := e.AWS.(Models); ok {
		t.model = m.Model(service)
	}
	if t.model == nil {
		return t
	}
	for i := range t.model.Operations {
		if t.model.Operations[i].Name == operation {
			t.operation = &t.model.Operations[i]
		}
	}
	return t
}

// common are the error codes that any service may answer, and that most models do not have.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html
var common = map[string]bool{
	"AccessDeniedException": true, "IncompleteSignature": true, "InternalFailure": true, "MissingAuthenticationToken": true, "NotAuthorized": true,
	"OptInRequired": true, "RequestExpired": true, "SerializationException": true, "ServiceUnavailable": true, "ThrottlingException": true,
	"UnknownOperationException": true, "UnrecognizedClientException": true, "ValidationError": true, "ValidationException": true,
}

// knows reports whether an error code is one of the operation's own.
func (t translation) knows(code string) bool {
	if t.operation == nil || t.operation.Input < 0 {
		return !common[code]
	}
	for _, i := range t.operation.Errors {
		if s := t.model.Shapes[i]; s.Name == code || s.ErrorCode == code {
			return true
		}
	}
	return false
}

func (t translation) input(v any) any {
	if t.operation == nil || t.operation.Input < 0 {
		return v
	}
	return t.in(t.operation.Input, v)
}

// in translates a value for a shape of the input.
func (t translation) in(shape int, v any) any {
	s := t.model.Shapes[shape]
	switch s.Kind {
	case wire.Structure, wire.Union:
		o, ok := v.(*value.Object)
		if !ok {
			return v
		}
		out := &value.Object{}
		for _, k := range o.Keys() {
			x, _ := o.Get(k)
			if m := member(s, k); m != nil {
				out.Set(m.Name, t.in(m.Shape, x))
			} else {
				out.Set(k, x)
			}
		}
		return out
	case wire.List, wire.Map:
		return t.each(s, v, t.in)
	case wire.String:
		switch v.(type) {
		case *value.Object, []any:
			return value.Encode(v) // such as a Message, or the Input of an execution (recorded answers)
		}
	case wire.Blob:
		text, ok := v.(string)
		if !ok {
			text = value.Encode(v)
		}
		return base64.StdEncoding.EncodeToString([]byte(text))
	case wire.Timestamp:
		if text, ok := v.(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				return json.Number(strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', -1, 64))
			}
		}
	}
	return v
}

// checkParameters compares the names of a task's parameters with those of the operation's input. The messages are AWS's, from
// memory.
func (t translation) checkParameters(params *asl.Template, at string) (diags []asl.Diagnostic) {
	names, isObject := params.Names()
	if t.operation == nil || t.operation.Input < 0 || !isObject {
		return nil
	}
	report := func(format, name string) {
		diags = append(diags, asl.Diagnostic{Code: asl.SchemaFailed, Message: fmt.Sprintf(format, name), Location: at})
	}
	s := t.model.Shapes[t.operation.Input]
	given := map[string]bool{}
	for _, name := range names {
		if m := member(s, name); m != nil && upperFirst(name) == name {
			given[m.Name] = true
		} else if !strings.HasPrefix(name, "AWS_STEP_FUNCTIONS_") {
			report("The field \"%s\" is not supported by Step Functions", name)
		}
	}
	for _, m := range s.Members {
		if m.Flags&(wire.Required|wire.IdempotencyToken) == wire.Required && !given[m.Name] {
			report("The field \"%s\" is required but was missing", upperFirst(m.Name))
		}
	}
	return diags
}

// each translates the elements of a list or the values of a map.
func (t translation) each(s wire.Shape, v any, f func(int, any) any) any {
	switch v := v.(type) {
	case []any:
		if s.Kind != wire.List {
			return v
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = f(s.Members[0].Shape, x)
		}
		return out
	case *value.Object:
		if s.Kind != wire.Map {
			return v
		}
		out := &value.Object{}
		for _, k := range v.Keys() {
			x, _ := v.Get(k)
			out.Set(k, f(s.Members[1].Shape, x))
		}
		return out
	}
	return v
}

// member finds a member by its name in the States Language.
func member(s wire.Shape, name string) *wire.Member {
	for i := range s.Members {
		if strings.EqualFold(s.Members[i].Name, name) {
			return &s.Members[i]
		}
	}
	return nil
}

func (t translation) output(v any) any {
	if t.operation == nil || t.operation.Output < 0 {
		if o, ok := v.(*value.Object); ok {
			return sorted(o)
		}
		return v
	}
	return t.out(t.operation.Output, v)
}

// out translates a value of a shape of the output.
func (t translation) out(shape int, v any) any {
	s := t.model.Shapes[shape]
	switch s.Kind {
	case wire.Structure, wire.Union:
		o, ok := v.(*value.Object)
		if !ok {
			return v
		}
		out := &value.Object{}
		for _, k := range o.Keys() {
			x, _ := o.Get(k)
			if m := member(s, k); m != nil {
				x = t.out(m.Shape, x)
			}
			if x != nil {
				out.Set(upperFirst(k), x)
			}
		}
		return sorted(out)
	case wire.List, wire.Map:
		return t.each(s, v, t.out)
	case wire.Blob:
		if text, ok := v.(string); ok {
			if b, err := base64.StdEncoding.DecodeString(text); err == nil {
				return strings.ToValidUTF8(string(b), "\uFFFD")
			}
		}
	case wire.Timestamp:
		if n, ok := v.(json.Number); ok {
			return t.timestamp(n)
		}
	}
	return v
}

func (t translation) timestamp(n json.Number) any {
	f, err := n.Float64()
	if err != nil {
		return n
	}
	at := time.UnixMilli(int64(f*1000 + 0.5))
	if t.millis {
		return value.Int(at.UnixMilli())
	}
	return isoTime(at)
}
