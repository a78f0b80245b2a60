package stepfunctions

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/intrinsic"
	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// scope evaluates the paths of a state.
type scope struct {
	b     *branch
	input *data
}

func (b *branch) scope(input *data) scope { return scope{b, input} }

// eval returns what a path selects in the input or in the context object. An error is a *jsonpath.NotFound.
func (s scope) eval(p *jsonpath.Path) (any, error) {
	if p.Context() {
		return p.Eval(s.b.context())
	}
	return p.Eval(s.input.value())
}

// Path returns what a field of a payload template selects. The message is AWS's (recorded answer).
func (s scope) Path(field string, p *jsonpath.Path) (any, error) {
	v, err := s.eval(p)
	if err != nil {
		return nil, s.b.failIn(errRuntime, "The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
			p, field, value.Encode(s.input.value()))
	}
	return v, nil
}

// CallPath returns what an argument of an intrinsic function selects. The message is AWS's, from memory.
func (s scope) CallPath(call *intrinsic.Call, p *jsonpath.Path) (any, error) {
	v, err := s.eval(p)
	if err != nil {
		return nil, s.b.failIn(errRuntime, "The function '%s' had the following error: The JsonPath argument for the field '%s' could not be found in the input '%s'",
			call, p, value.Encode(s.input.value()))
	}
	return v, nil
}

// UUID returns a random UUID.
func (s scope) UUID() string { return s.b.run.engine.IDs.UUID() }

// choiceScope words a missing variable as Choice states do. The message is AWS's, from memory.
type choiceScope struct{ scope }

// Path returns what a condition looks at.
func (s choiceScope) Path(_ string, p *jsonpath.Path) (any, error) {
	v, err := s.eval(p)
	if err != nil {
		return nil, s.b.failIn(errRuntime, "Invalid path '%s': The choice state's condition path references an invalid value.", p)
	}
	return v, nil
}

// selected returns what a path other than a template's selects. The message is AWS's (recorded answers).
func (b *branch) selected(p *jsonpath.Path, input *data) (any, error) {
	v, err := b.scope(input).eval(p)
	if err != nil {
		return nil, b.failIn(errRuntime, "Invalid path '%s' : %s", p, err)
	}
	return v, nil
}

// field applies InputPath or OutputPath: null makes it an empty object.
func (b *branch) field(f asl.PathField, d *data) (*data, error) {
	if f.Null {
		return valueData(&value.Object{}), nil
	}
	if f.Whole() {
		return d, nil
	}
	v, err := b.selected(f.Path, d)
	if err != nil {
		return nil, err
	}
	return valueData(v), nil
}

func (b *branch) inputPath(s *asl.State, input *data) (*data, error) {
	return b.field(s.InputPath, input)
}
func (b *branch) outputPath(s *asl.State, out *data) (*data, error) {
	return b.field(s.OutputPath, out)
}

// template applies a payload template, none: nothing changes.
func (b *branch) template(t *asl.Template, in *data) (*data, error) {
	if t == nil {
		return in, nil
	}
	v, err := t.Eval(b.scope(in))
	if err != nil {
		return nil, b.worded(err)
	}
	return valueData(v), nil
}

// worded makes a failure of the state of an intrinsic function's.
func (b *branch) worded(err error) error {
	var f *intrinsic.Failure
	if errors.As(err, &f) {
		return b.failIn(errIntrinsic, "%s", f)
	}
	return err
}

// resultPath puts a result where the path says in the state's input.
func (b *branch) resultPath(f asl.PathField, input, result *data) (*data, error) {
	switch {
	case f.Null:
		return input, nil
	case f.Whole():
		return result, nil
	}
	v, ok := f.Path.Put(input.value(), result.value())
	if !ok { // the words are AWS's, as reported in https://github.com/aws/aws-cdk/issues/29473; the error's name is from memory
		return nil, fail(errResultPath, "Unable to apply ReferencePath "+f.Path.String()+" to input "+value.Encode(input.value()))
	}
	return valueData(v), nil
}

// context is the context object ($$). The order of its members is AWS's (recorded answers).
//
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func (b *branch) context() *value.Object {
	x := &b.run.exec
	input := textData(x.Input).value()
	execution := value.NewObject("Id", x.ARN, "Input", input, "StartTime", isoTime(x.Start), "Name", x.Name, "RoleArn", x.RoleARN, "RedriveCount", value.Int(0))
	if x.Express {
		execution = value.NewObject("Id", x.ARN, "Input", input, "Name", x.Name, "RoleArn", x.RoleARN, "StartTime", isoTime(x.Start))
	}
	state := value.NewObject("Name", b.f.State, "EnteredTime", isoTime(b.f.EnteredAt))
	switch b.machine.States[b.f.State].Type {
	case asl.Task, asl.Parallel, asl.Map:
		state.Set("RetryCount", value.Int(int64(b.f.Attempt)))
	}
	c := value.NewObject("Execution", execution, "StateMachine", value.NewObject("Id", x.MachineARN, "Name", arnName(x.MachineARN)), "State", state)
	if b.item != nil {
		c.Set("Map", b.item)
	}
	if b.f.Token != "" {
		c.Set("Task", value.NewObject("Token", b.f.Token))
	}
	return c
}

// isoTime writes an instant as the context object does: with milliseconds.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// maxWait is the longest delay: the seconds that fit into an int (recorded answers on both sides of it).
const maxWait = math.MaxInt32 * time.Second

// waitUntil is when a Wait state goes on. The messages but the first and the last are AWS's from memory.
func (b *branch) waitUntil(s *asl.State, in *data) (time.Time, error) {
	now := b.run.engine.Clock.Now()
	until := now
	w := s.Wait
	switch {
	case w.SecondsPath != nil:
		v, err := b.scope(in).eval(w.SecondsPath)
		if err != nil {
			return now, b.failIn(errRuntime, "The SecondsPath parameter does not reference an input value: %s", w.SecondsPath)
		}
		n, ok := v.(json.Number)
		if seconds, err := n.Int64(); !ok || err != nil || seconds < 0 {
			return now, b.failIn(errRuntime, "The SecondsPath parameter cannot be parsed as a long value: %s == %s", w.SecondsPath, value.Encode(v))
		}
		w.Seconds = &n
	case w.TimestampPath != nil:
		v, err := b.scope(in).eval(w.TimestampPath)
		if err != nil {
			return now, b.failIn(errRuntime, "The TimestampPath parameter does not reference an input value: %s", w.TimestampPath)
		}
		text, isText := v.(string)
		t, ok := asl.Timestamp(text)
		if !ok {
			if !isText {
				text = value.Encode(v)
			}
			return now, b.failIn(errRuntime, "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", w.TimestampPath, text)
		}
		w.Timestamp = &t
	}
	if w.Timestamp != nil {
		until = *w.Timestamp
	} else if n, _ := w.Seconds.Int64(); n <= math.MaxInt32 {
		until = now.Add(time.Duration(n) * time.Second)
	} else {
		until = now.Add(maxWait + time.Second)
	}
	if until.Sub(now) > maxWait {
		return now, b.failIn(errRuntime, "Wait state delay is too long.")
	}
	return until, nil
}

// number returns a field that is given as a number or by a path, 0 if it is not given. The message is AWS's (recorded
// answers, of MaxConcurrencyPath).
func (b *branch) number(field string, n asl.Number, in *data) (int64, error) {
	if n.Path == nil {
		return n.Value, nil
	}
	v, err := b.selected(n.Path, in)
	if err != nil {
		return 0, err
	}
	num, _ := v.(json.Number)
	i, err := num.Int64()
	if err != nil || i < 0 {
		text, ok := v.(string)
		if !ok {
			text = value.Encode(v)
		}
		return 0, b.failIn(errRuntime, "The %s field refers to value \"%s\" which is not a valid integer: %s", field, text, n.Path)
	}
	return i, nil
}
