package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
)

// Call runs an operation in process, as kit.Caller says. The account and the region are those of the request in ctx.
func (s *Server) Call(ctx context.Context, service, operation string, in, out any) (err error) {
	svc := s.byName[service]
	if svc == nil {
		return errNoService("the service " + service)
	}
	op := svc.lookups().operations[operation]
	if op == nil {
		svc.unknown.add(operation)
		return Errorf("UnknownOperationException", 400, "The service %s has no operation %s", service, operation)
	}
	if !op.done {
		op.refused.Add(1)
		return notImplemented(op)
	}
	op.calls.Add(1)
	defer s.guard(op, &err)
	op.plans()
	input, err := op.callInput(in)
	if err != nil {
		return err
	}
	op.in.fillTokens(reflect.ValueOf(input).Elem(), s.NewID)
	r := *s.from(ctx)
	r.ID, r.Host, r.Service, r.Operation = s.NewID(), "", service, operation
	r.memory, r.header = nil, nil // who calls in process keeps the output
	result, err := s.run(WithRequest(ctx, &r), op, input, reflect.ValueOf(input).Elem())
	if err != nil {
		return svc.shown(err)
	}
	return op.callOutput(result, out)
}

// shown is an error with the further members of its structure as they are in JSON, for a caller that does not know the service's types.
func (svc *service) shown(err error) error {
	e, ok := err.(*Error)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	_, members := (&exchange{service: svc}).errorMembers(e, func(f *field) string { return f.Name })
	c := *e
	c.Fields = maps.Clone(e.Fields)
	for _, m := range members {
		c.Fields[m.name] = json.RawMessage(jsonEncoder{model: true}.value(nil, m.field, m.value))
	}
	return &c
}

// from is the request that ctx belongs to; outside any, the server's own account and region.
func (s *Server) from(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{Account: s.Account, Region: s.Region}
}

// callInput makes the operation's input of what a caller gave.
func (op *operation) callInput(in any) (any, error) {
	if in != nil && reflect.TypeOf(in) == reflect.PointerTo(op.handler.in) && !reflect.ValueOf(in).IsNil() {
		own := reflect.New(op.handler.in) // tokens are filled in, which the caller need not see
		own.Elem().Set(reflect.ValueOf(in).Elem())
		return own.Interface(), nil
	}
	if v := reflect.Indirect(reflect.ValueOf(in)); v.Kind() == reflect.Struct {
		input := op.handler.newInput()
		if copyFields(reflect.ValueOf(input).Elem(), v, v.Type()) {
			return input, nil
		}
	}
	var b []byte
	switch in := in.(type) {
	case nil:
		b = []byte("{}")
	case json.RawMessage:
		b = in
	case *json.RawMessage:
		b = *in
	default:
		var err error
		if b, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("call %s: input: %w", op.Name, err)
		}
	}
	input := op.handler.newInput()
	if len(b) == 0 {
		return input, nil
	}
	return input, decodeJSON(b, op.in, reflect.ValueOf(input).Elem(), true)
}

// fillTokens makes up the idempotency tokens that a caller did not give, as SDKs do.
func (p *plan) fillTokens(v reflect.Value, newID func() string) {
	for i := range p.fields {
		f := &p.fields[i]
		if f.Flags&IdempotencyToken == 0 || f.plan.kind != String {
			continue
		}
		if dst := v.Field(f.index); dst.IsNil() {
			f.target(dst).SetString(newID())
		}
	}
}

// callOutput gives the output to a caller in the form that it asked for.
func (op *operation) callOutput(result, out any) error {
	if out == nil {
		return nil
	}
	dst := reflect.ValueOf(out)
	if dst.Type() == reflect.TypeOf(result) && !dst.IsNil() {
		dst.Elem().Set(reflect.ValueOf(result).Elem())
		return nil
	}
	v := reflect.ValueOf(result).Elem()
	if to := reflect.Indirect(dst); to.Kind() == reflect.Struct && copyFields(to, v, to.Type()) {
		return nil
	}
	if err := op.out.readStreams(v); err != nil {
		return fmt.Errorf("call %s: output: %w", op.Name, err)
	}
	b := jsonEncoder{model: true}.structure(nil, op.out, v)
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = b
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("call %s: output: %w", op.Name, err)
	}
	return nil
}

// readStreams reads an output's streams, so that they can be shown as JSON.
func (p *plan) readStreams(v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		x, ok := f.given(v.Field(f.index))
		if ok && f.plan.events != nil {
			all, err := readEvents(x)
			if err != nil {
				return err
			}
			x.Set(all)
			continue
		}
		if !ok || f.plan.typ != readerType {
			continue
		}
		b, err := io.ReadAll(x.Interface().(io.Reader))
		if err != nil {
			return err
		}
		x.Set(reflect.ValueOf(&bytesReader{all: b}))
	}
	return nil
}
