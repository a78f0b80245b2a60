package js

import (
	"bytes"
	"context"

	"github.com/dop251/goja"

	"devstack/runtime/function"
)

// response is a streamed response under way.
type response struct {
	to    function.Stream // nil: it is kept until the invocation ends
	whole []byte
}

// hostBeginResponse implements host.beginResponse(contentType): the first byte of a streamed response is about to come.
func (s *sandbox) hostBeginResponse(call goja.FunctionCall) goja.Value {
	if s.event == nil || s.streamed != nil {
		return goja.Undefined()
	}
	s.streamed = &response{to: s.event.Stream, whole: []byte{}}
	if s.streamed.to != nil {
		s.streamed.to.Begin(call.Argument(0).String())
	}
	return goja.Undefined()
}

// hostRespond implements host.respond(bytes): a promise, if the reader has to be waited for. A reader that has gone does not
// stop the handler: what it writes is dropped, as on Lambda.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
func (s *sandbox) hostRespond(call goja.FunctionCall) goja.Value {
	r := s.streamed
	if r == nil {
		return goja.Undefined()
	}
	b := s.bytes(call.Argument(0))
	if r.to == nil {
		if len(r.whole)+len(b) > int(s.memoryLimit()) {
			s.throw("RangeError", "the response is larger than the function's memory")
		}
		r.whole = append(r.whole, b...)
		return goja.Undefined()
	}
	b = bytes.Clone(b)
	return s.async(func(ctx context.Context) (func() goja.Value, error) {
		if ctx.Err() == nil { // else the sandbox has ended, and with it the invocation
			_, _ = r.to.Write(b)
		}
		return goja.Undefined, nil
	})
}
