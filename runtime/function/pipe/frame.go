package pipe

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"devstack/runtime/function"
)

// A frame is one byte that says what it is, four that say how long, high byte first, and the body.
//
// To the sandbox go
//
//	W  {…}                         load what is named, in advance; not answered
//	L  {…}                         load the function; answered by O or X
//	I  length {…} payload          an event: 4 bytes, facts about it, and what was sent, byte for byte; answered by R, E or D
//
// and from it come
//
//	O                              loaded
//	X  length type {…}             not loaded: 2 bytes, type of the error, its body
//	B  content type                the handler begins to stream its response
//	C  bytes                       the next piece of it
//	R  payload                     what the handler returned; nothing, at the end of a stream
//	E  length type {…}             the handler failed, perhaps in the middle of a stream
//	D  length type {…}             the handler failed, and the process is about to end
//	P  address                     where it waits for a debugger, before it is given anything to load
const (
	warm    = 'W'
	load    = 'L'
	invoke  = 'I'
	loaded  = 'O'
	refused = 'X'
	begin   = 'B'
	chunk   = 'C'
	result  = 'R'
	failure = 'E'
	dying   = 'D'
	address = 'P'
)

const header = 5

// longest bounds what one frame may make the daemon hold: several times the longest response that Lambda passes on.
const longest = 64 << 20

type frame struct {
	kind byte
	body []byte
}

func appendHeader(to []byte, kind byte, length int) []byte {
	return binary.BigEndian.AppendUint32(append(to, kind), uint32(length))
}

// facts are what a runtime tells its handler of an event.
type facts struct {
	RequestID     string `json:"id"`
	Remaining     int64  `json:"ms"` // until the deadline, in milliseconds
	ARN           string `json:"arn"`
	TraceID       string `json:"trace,omitempty"`
	ClientContext string `json:"client,omitempty"`
	Identity      string `json:"identity,omitempty"` // JSON
	Tenant        string `json:"tenant,omitempty"`
}

// eventFrame is an event as a sandbox takes it.
func eventFrame(ev *function.Event) ([]byte, error) {
	about, err := json.Marshal(facts{ev.RequestID, ev.Timeout.Milliseconds(), ev.ARN, ev.TraceID, ev.ClientContext, ev.Identity, ev.Tenant})
	if err != nil {
		return nil, err
	}
	length := 4 + len(about) + len(ev.Payload)
	b := appendHeader(make([]byte, 0, header+length), invoke, length)
	b = binary.BigEndian.AppendUint32(b, uint32(len(about)))
	return append(append(b, about...), ev.Payload...), nil
}

// readFrame reads the next frame.
func readFrame(r *bufio.Reader) (frame, error) {
	head, err := r.Peek(header)
	if err != nil {
		return frame{}, err
	}
	f := frame{kind: head[0]}
	length := binary.BigEndian.Uint32(head[1:])
	if length > longest {
		return f, fmt.Errorf("a frame of %d bytes", length)
	}
	if _, err := r.Discard(header); err != nil {
		return f, err
	}
	f.body = make([]byte, length)
	_, err = io.ReadFull(r, f.body)
	return f, err
}

// typed takes the type of an error from before its body.
func (f frame) typed() (typ string, body []byte) {
	if len(f.body) < 2 {
		return "", nil
	}
	n := int(binary.BigEndian.Uint16(f.body))
	if rest := f.body[2:]; n <= len(rest) {
		return string(rest[:n]), rest[n:]
	}
	return "", nil
}
