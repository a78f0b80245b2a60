package lambda

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"

	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// heard is what InvokeWithResponseStream's events say, one after the other.
func heard(out *InvokeWithResponseStreamOutput) string {
	var all []string
	for ev, err := range out.EventStream {
		switch {
		case err != nil:
			all = append(all, "error "+err.Error())
		case ev.PayloadChunk != nil:
			all = append(all, string(ev.PayloadChunk.Payload))
		default:
			text := func(s *string) string {
				if s == nil {
					return "-"
				}
				return *s
			}
			all = append(all, fmt.Sprintf("end %s %s %s", text(ev.InvokeComplete.ErrorCode), text(ev.InvokeComplete.ErrorDetails), text(ev.InvokeComplete.LogResult)))
		}
	}
	return strings.Join(all, "|")
}

func TestInvokeWithResponseStream(t *testing.T) {
	write := func(st Stream, pieces ...string) {
		st.Begin("text/plain")
		for _, p := range pieces {
			_, _ = st.Write([]byte(p))
		}
	}
	for _, tt := range []struct {
		name string
		f    *scripted
		want string
		err  string
	}{
		{name: "a function that streams", want: "one|two|end - - bG9n", f: &scripted{streams: func(st Stream) (*Outcome, error) {
			write(st, "one", "", "two")
			return &Outcome{LogTail: []byte("log")}, nil
		}}},
		{name: "one that streams nothing", want: "end - - ", f: &scripted{streams: func(st Stream) (*Outcome, error) { write(st); return &Outcome{}, nil }}},
		{name: "one that fails on the way", want: `one|end Unhandled {"errorMessage":"no"} `, f: &scripted{streams: func(st Stream) (*Outcome, error) {
			write(st, "one")
			return &Outcome{Failed: true, Payload: []byte(`{"errorMessage":"no"}`)}, nil
		}}},
		{name: "one whose sandbox is lost", want: "one|error it ended", f: &scripted{streams: func(st Stream) (*Outcome, error) {
			write(st, "one")
			return nil, errors.New("it ended")
		}}},
		{name: "one that does not stream", want: "null|end - - "},
		{name: "one that fails at once", want: "end Unhandled {} ", f: &scripted{answer: func(int, string) (*Outcome, error) { return &Outcome{Failed: true, Payload: []byte("{}")}, nil }}},
		{name: "one that cannot be run", err: "TooManyRequestsException: no", f: &scripted{answer: func(int, string) (*Outcome, error) {
			return nil, wire.Errorf("TooManyRequestsException", 429, "no")
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, t.TempDir(), clock.Fixed(epoch), cmp.Or(tt.f, &scripted{}), nil)
			out, err := s.InvokeWithResponseStream(t.Context(), &InvokeWithResponseStreamInput{FunctionName: new("f"), LogType: new(LogTypeTail)})
			if tt.err != "" || err != nil {
				if fmt.Sprint(err) != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if got := heard(out); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhoStopsReadingLetsTheFunctionGoOn(t *testing.T) {
	lost := make(chan error, 1)
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{streams: func(st Stream) (*Outcome, error) {
		st.Begin("text/plain")
		for {
			if _, err := st.Write([]byte("x")); err != nil {
				lost <- err
				return &Outcome{}, nil
			}
		}
	}}, nil)
	out, err := s.InvokeWithResponseStream(t.Context(), &InvokeWithResponseStreamInput{FunctionName: new("f")})
	if err != nil {
		t.Fatal(err)
	}
	for range out.EventStream {
		break
	}
	if err := <-lost; !errors.Is(err, errGone) {
		t.Errorf("the function hears %v", err)
	}
}
