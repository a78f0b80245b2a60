package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"iter"
	"sync"

	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// streamed is a response on its way from a function to a reader, both of whom may be the slower one.
type streamed struct {
	begun       chan struct{} // closed with Begin
	contentType string        // set then
	pieces      chan []byte
	gone        chan struct{} // closed when nobody reads any more
	leave       sync.Once     // closes it
	done        chan struct{} // closed when the function has ended
	out         *Outcome      // set then
	err         error
}

var errGone = errors.New("nobody reads the response any more")

// Begin notes that the function streams.
func (st *streamed) Begin(contentType string) {
	st.contentType = contentType
	close(st.begun)
}

// Write hands a piece to the reader and waits until it is taken.
func (st *streamed) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	select {
	case st.pieces <- append([]byte(nil), b...):
		return len(b), nil
	case <-st.gone:
		return 0, errGone
	}
}

// startStream begins a call whose response is streamed if the function does that, and waits until it begins to answer or has ended:
// streams tells which. What kept it from running is the error. As on Lambda a function that was begun runs to its end whether somebody
// reads or not; the reader calls close.
func (s *Service) startStream(ctx context.Context, c *callee, ev Event) (_ *streamed, streams bool, err error) {
	leave, err := s.concurrency.enter(s, c)
	if err != nil {
		return nil, false, err
	}
	st := &streamed{begun: make(chan struct{}), pieces: make(chan []byte), gone: make(chan struct{}), done: make(chan struct{})}
	ev.Stream = st
	if !s.background(ctx, func(ctx context.Context) {
		defer leave()
		defer close(st.done)
		st.out, st.err = s.run(ctx, c, ev)
	}) {
		leave()
		return nil, false, errClosed
	}
	select {
	case <-st.begun:
		return st, true, nil
	case <-st.done:
	case <-ctx.Done():
		st.close()
		return nil, false, ctx.Err()
	}
	select {
	case <-st.begun: // and ended in the same moment
		return st, true, nil
	default:
	}
	if e, ok := errors.AsType[*wire.Error](st.err); ok {
		return nil, false, byUser(e)
	}
	return st, false, st.err
}

// all yields the pieces of the stream.
func (st *streamed) all() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			select {
			case b := <-st.pieces:
				if !yield(b) {
					return
				}
			case <-st.done: // no piece is on its way, since Write waits
				return
			}
		}
	}
}

// close says that nobody reads any more.
func (st *streamed) close() { st.leave.Do(func() { close(st.gone) }) }

// InvokeWithResponseStream runs a function and answers its response piece by piece, as it comes: PayloadChunk events, then one
// InvokeComplete. The response of a function that does not stream is one chunk.
//
// A function that fails has ErrorCode "Unhandled" and its error as ErrorDetails in InvokeComplete. Errors are Invoke's. In process the
// output's EventStream is the sequence itself, which runs the function on as it is read; as JSON it is the list of all events, read to
// the end.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
func (s *Service) InvokeWithResponseStream(ctx context.Context, in *InvokeWithResponseStreamInput) (*InvokeWithResponseStreamOutput, error) {
	c, err := s.invoked(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := refuseUnsupportedInvoke("InvokeWithResponseStream", nil, in.TenantId); err != nil {
		return nil, err
	}
	ev, err := newEvent(in.Payload, in.ClientContext, false)
	if err != nil {
		return nil, err
	}
	if in.InvocationType != nil && *in.InvocationType == ResponseStreamingInvocationTypeDryRun {
		return &InvokeWithResponseStreamOutput{StatusCode: new(int32(204))}, nil
	}
	wire.From(ctx).Answer(traceHeader, trace.Header(ctx))
	st, streams, err := s.startStream(ctx, c, ev)
	if err != nil {
		return nil, err
	}
	return &InvokeWithResponseStreamOutput{
		StatusCode: new(int32(200)), ExecutedVersion: &c.Version, ResponseStreamContentType: new("application/vnd.amazon.eventstream"),
		EventStream: responseEvents(st, streams, in.LogType != nil && *in.LogType == LogTypeTail),
	}, nil
}

// responseEvents yields a response as the events of InvokeWithResponseStream.
func responseEvents(st *streamed, streams, tail bool) iter.Seq2[InvokeWithResponseStreamResponseEvent, error] {
	return func(yield func(InvokeWithResponseStreamResponseEvent, error) bool) {
		defer st.close()
		for b := range st.all() {
			if !yield(chunk(b), nil) {
				return
			}
		}
		end := &InvokeWithResponseStreamCompleteEvent{}
		switch {
		case st.err != nil:
			yield(InvokeWithResponseStreamResponseEvent{}, st.err)
			return
		case st.out.Failed:
			end.ErrorCode, end.ErrorDetails = new(unhandled), new(string(st.out.Payload))
		case !streams && len(st.out.Payload) > 0:
			if !yield(chunk(st.out.Payload), nil) {
				return
			}
		}
		if tail {
			end.LogResult = new(base64.StdEncoding.EncodeToString(st.out.LogTail))
		}
		yield(InvokeWithResponseStreamResponseEvent{InvokeComplete: end}, nil)
	}
}

func chunk(b []byte) InvokeWithResponseStreamResponseEvent {
	return InvokeWithResponseStreamResponseEvent{PayloadChunk: &InvokeResponseStreamUpdate{Payload: b}}
}
