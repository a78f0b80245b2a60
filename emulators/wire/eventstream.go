package wire

import (
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// An output whose payload is an event stream has a field of type iter.Seq2[Event, error], where Event is the model's union.
// Over HTTP each event is a message of its own, sent as it comes. An *Error from the sequence ends the stream as the
// exception that the model knows, any other as an internal failure. Who calls in process is handed the sequence itself if the
// operation's output type is asked for; in JSON the stream is a list of its events, read to its end first.
//
// https://smithy.io/2.0/aws/amazon-eventstream.html

// eventStreamType is the content type of a stream of messages.
const eventStreamType = "application/vnd.amazon.eventstream"

// messageHeader is a header of a message. Its value is a bool, int8, int16, int32, int64, []byte, string or time.Time.
type messageHeader struct {
	name  string
	value any
}

// Types of a header's value, as a message has them.
const (
	headerTrue = iota
	headerFalse
	headerByte
	headerShort
	headerInteger
	headerLong
	headerBytes
	headerString
	headerTimestamp
)

// maxHeaderName and maxHeaderValue are what the lengths of a header's name and value have room for, in bytes.
const (
	maxHeaderName  = 1<<8 - 1
	maxHeaderValue = 1<<15 - 1
)

// appendMessage appends one message: a prelude of the lengths of the whole and of the headers with a checksum, the headers, the
// payload, and a checksum of all before it. A text longer than a header can be is cut.
func appendMessage(b []byte, headers []messageHeader, payload []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, 12)...)
	for _, h := range headers {
		b = h.append(b)
	}
	head := len(b) - start - 12
	b = append(b, payload...)
	m := b[start:]
	binary.BigEndian.PutUint32(m, uint32(len(m)+4))
	binary.BigEndian.PutUint32(m[4:], uint32(head))
	binary.BigEndian.PutUint32(m[8:], crc32.ChecksumIEEE(m[:8]))
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(m))
}

func (h messageHeader) append(b []byte) []byte {
	name := h.name[:min(len(h.name), maxHeaderName)]
	b = append(append(b, byte(len(name))), name...)
	switch v := h.value.(type) {
	case bool:
		if v {
			return append(b, headerTrue)
		}
		return append(b, headerFalse)
	case int8:
		return append(b, headerByte, byte(v))
	case int16:
		return binary.BigEndian.AppendUint16(append(b, headerShort), uint16(v))
	case int32:
		return binary.BigEndian.AppendUint32(append(b, headerInteger), uint32(v))
	case int64:
		return binary.BigEndian.AppendUint64(append(b, headerLong), uint64(v))
	case []byte:
		v = v[:min(len(v), maxHeaderValue)]
		return append(binary.BigEndian.AppendUint16(append(b, headerBytes), uint16(len(v))), v...)
	case time.Time:
		return binary.BigEndian.AppendUint64(append(b, headerTimestamp), uint64(v.UnixMilli()))
	case string:
		v = v[:min(len(v), maxHeaderValue)]
		return append(binary.BigEndian.AppendUint16(append(b, headerString), uint16(len(v))), v...)
	}
	panic("wire: no such header value: " + reflect.TypeOf(h.value).String()) // a mistake of the generator
}

// isEvents reports whether a Go type is that of an event stream.
func isEvents(t reflect.Type) bool { return t.Kind() == reflect.Func && t.CanSeq2() }

// eventOf is the type of an event stream's events.
func eventOf(stream reflect.Type) reflect.Type { return stream.In(0).In(0) }

// events yields what a stream holds.
func events(v reflect.Value) func(yield func(event reflect.Value, err error) bool) {
	return func(yield func(reflect.Value, error) bool) {
		for ev, failure := range v.Seq2() {
			err, _ := failure.Interface().(error)
			if !yield(ev, err) {
				return
			}
		}
	}
}

// sendEvents sends an event stream, each of its events as soon as there is one, and returns what broke it.
func (x *exchange) sendEvents(status int, f *field, v reflect.Value) error {
	h := x.w.Header()
	h["Content-Type"] = []string{eventStreamType}
	h["X-Amzn-Requestid"] = []string{x.request.ID}
	x.server.setDate(h)
	x.drain()
	x.w.WriteHeader(status)
	out := http.NewResponseController(x.w)
	_ = out.Flush() // what a writer cannot do it does at the end
	var b []byte
	for ev, err := range events(v) {
		if err != nil {
			b = x.appendException(b[:0], x.server.wireError(x.op, err).(*Error))
			_, _ = x.w.Write(b)
			return err
		}
		if b = appendEvent(b[:0], f.plan.events, ev); len(b) == 0 {
			continue
		}
		if _, err := x.w.Write(b); err != nil {
			return err // the client has gone, and the sequence ends
		}
		_ = out.Flush()
	}
	return nil
}

// appendEvent appends the message of an event, a union: nothing if no member of it is set.
func appendEvent(b []byte, p *plan, v reflect.Value) []byte {
	for i := range p.fields {
		f := &p.fields[i]
		ev, ok := f.given(v.Field(f.index))
		if !ok {
			continue
		}
		headers := []messageHeader{{":event-type", f.Name}}
		payload, contentType := []byte(nil), "application/json"
		whole := true
		for j := range f.plan.fields {
			m := &f.plan.fields[j]
			if m.Flags&(EventHeader|EventPayload) == 0 {
				continue
			}
			val, given := m.given(ev.Field(m.index))
			if m.Flags&EventHeader != 0 {
				if given {
					headers = append(headers, messageHeader{m.Name, val.Interface()})
				}
				continue
			}
			whole = false
			if !given {
				continue
			}
			payload, contentType = eventPayload(m, val)
		}
		if whole {
			payload = jsonEncoder{}.structure(nil, f.plan, ev)
		}
		headers = append(headers, messageHeader{":content-type", contentType}, messageHeader{":message-type", "event"})
		return appendMessage(b, headers, payload)
	}
	return b
}

// eventPayload is the member that is the whole payload of an event.
func eventPayload(f *field, v reflect.Value) (payload []byte, contentType string) {
	switch f.plan.kind {
	case Blob:
		return v.Bytes(), "application/octet-stream"
	case String:
		return []byte(v.String()), "text/plain"
	}
	return jsonEncoder{}.value(nil, f, v), "application/json"
}

// appendException appends the message of an error that ends a stream.
func (x *exchange) appendException(b []byte, e *Error) []byte {
	return appendMessage(b, []messageHeader{
		{":exception-type", e.Code}, {":content-type", "application/json"}, {":message-type", "exception"},
	}, x.appendJSONError(nil, e))
}

// readEvents reads a stream to its end and returns a sequence of what there was.
func readEvents(v reflect.Value) (reflect.Value, error) {
	var all []reflect.Value
	for ev, err := range events(v) {
		if err != nil {
			return v, err
		}
		all = append(all, ev)
	}
	failure := reflect.Zero(reflect.TypeFor[error]())
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		for _, ev := range all {
			if !args[0].Call([]reflect.Value{ev, failure})[0].Bool() {
				break
			}
		}
		return nil
	}), nil
}

// eventList writes a stream as the JSON list of its events.
func (e jsonEncoder) eventList(b []byte, p *plan, v reflect.Value) []byte {
	if e.trace {
		return append(b, `"(stream)"`...)
	}
	var parts []string
	for ev := range events(v) {
		parts = append(parts, string(e.structure(nil, p.events, ev)))
	}
	return append(append(append(b, '['), strings.Join(parts, ",")...), ']')
}
