package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// FuzzMessage writes a message and has AWS's own decoder read it.
func FuzzMessage(f *testing.F) {
	f.Add("name", "value", int64(7), []byte("payload"), true)
	f.Add("", "", int64(-1), []byte{}, false)
	f.Add(strings.Repeat("n", 300), strings.Repeat("v", 40_000), int64(0), []byte(nil), false)
	f.Fuzz(func(t *testing.T, name, text string, n int64, payload []byte, yes bool) {
		before := []byte("before")
		b := appendMessage(bytes.Clone(before), []messageHeader{
			{"text", text}, {"bytes", payload}, {"long", n}, {"integer", int32(n)}, {"short", int16(n)}, {"byte", int8(n)}, {"bool", yes},
			{"time", time.UnixMilli(n % 1e15)}, {name, "x"},
		}, payload)
		if !bytes.HasPrefix(b, before) {
			t.Fatal("what was there is gone")
		}
		if name == "" { // a name that no header has, and the decoder refuses
			return
		}
		r := bytes.NewReader(b[len(before):])
		m, err := eventstream.NewDecoder().Decode(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Len() != 0 || !bytes.Equal(m.Payload, payload) {
			t.Errorf("%d bytes are left, payload %q, want %q", r.Len(), m.Payload, payload)
		}
		for header, want := range map[string]any{
			"text": text[:min(len(text), maxHeaderValue)], "long": n, "integer": int32(n), "short": int16(n), "byte": int8(n), "bool": yes,
		} {
			if v := m.Headers.Get(header); header != name && (v == nil || v.Get() != want) {
				t.Errorf("header %s is %v, want %v", header, v, want)
			}
		}
	})
}

// An operation with an event stream.
type (
	streamIn  struct{}
	streamOut struct {
		Events iter.Seq2[streamEvent, error]
		Kind   *string
	}
	streamEvent struct {
		Chunk *streamChunk
		End   *streamEnd
	}
	streamChunk struct {
		Data []byte
		N    *int32
	}
	streamEnd struct{ Why *string }
)

var streamModel = Model{
	Service: "streams", Name: "Streams", SigningName: "streams", Protocols: []Protocol{RestJSON1},
	Operations: []Operation{{Name: "Stream", Method: "POST", URI: "/stream", Status: 200, Input: 0, Output: 1, Flags: OpImplemented}},
	Shapes: []Shape{
		{Name: "StreamInput", Kind: Structure},
		{Name: "StreamOutput", Kind: Structure, Members: []Member{{Name: "Events", Shape: 2, Location: InPayload}, {Name: "Kind", Shape: 7, Location: InHeader, WireName: "X-Kind"}}},
		{Name: "Events", Kind: Union, Members: []Member{{Name: "Chunk", Shape: 3}, {Name: "End", Shape: 4}}},
		{Name: "Chunk", Kind: Structure, Members: []Member{{Name: "Data", Shape: 5, Flags: EventPayload}, {Name: "N", Shape: 6, Flags: EventHeader}}},
		{Name: "End", Kind: Structure, Members: []Member{{Name: "Why", Shape: 7}}},
		{Name: "Blob", Kind: Blob},
		{Name: "Integer", Kind: Integer},
		{Name: "String", Kind: String},
		{Name: "Broken", Kind: Structure, ErrorStatus: 400, Members: []Member{{Name: "message", Shape: 7}}},
	},
}

func streamServer(end func(yield func(streamEvent, error) bool)) *Server {
	return NewServer(Config{NewID: func() string { return "id" }, Services: []*Service{NewService(&streamModel, map[string]Handler{
		"Stream": Handle(func(context.Context, *streamIn) (*streamOut, error) {
			return &streamOut{Kind: new("k"), Events: func(yield func(streamEvent, error) bool) {
				if yield(streamEvent{Chunk: &streamChunk{[]byte("one"), new(int32(7))}}, nil) {
					end(yield)
				}
			}}, nil
		}),
	})}})
}

// messages reads an answer's messages: their headers that are texts, and their payloads.
func messages(t *testing.T, r io.Reader) (all []string) {
	t.Helper()
	for {
		m, err := eventstream.NewDecoder().Decode(r, nil)
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		text := func(name string) string {
			if v := m.Headers.Get(name); v != nil {
				return fmt.Sprint(v.Get())
			}
			return ""
		}
		all = append(all, strings.Join([]string{text(":message-type"), text(":event-type") + text(":exception-type"), text(":content-type"), text("N"), string(m.Payload)}, " "))
	}
}

func TestEventStream(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(yield func(streamEvent, error) bool)
		want string
		json string
	}{
		{"to its end", func(yield func(streamEvent, error) bool) { yield(streamEvent{End: &streamEnd{}}, nil) },
			"event Chunk application/octet-stream 7 one|event End application/json  {}", `{"Events":[{"Chunk":{"Data":"b25l","N":7}},{"End":{}}],"Kind":"k"}`},
		{"an error that the model knows", func(yield func(streamEvent, error) bool) { yield(streamEvent{}, Errorf("Broken", 400, "no")) },
			`event Chunk application/octet-stream 7 one|exception Broken application/json  {"message":"no"}`, "Broken: no"},
		{"any other", func(yield func(streamEvent, error) bool) { yield(streamEvent{}, errors.New("no")) },
			`event Chunk application/octet-stream 7 one|exception InternalFailure application/json  {"message":"` + errInternal.Message + `"}`, "no"},
	} {
		s := streamServer(tt.end)
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/stream", nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/streams/aws4_request, SignedHeaders=host, Signature=0")
		s.ServeHTTP(w, r)
		if w.Code != 200 || w.Header().Get("Content-Type") != eventStreamType || w.Header().Get("X-Kind") != "k" || w.Header().Get("X-Amzn-Requestid") != "id" || !w.Flushed {
			t.Errorf("%s: %d %v", tt.name, w.Code, w.Header())
		}
		if got := strings.Join(messages(t, w.Body), "|"); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		var out json.RawMessage
		err := s.Call(t.Context(), "streams", "Stream", nil, &out)
		if err != nil && !strings.HasSuffix(err.Error(), tt.json) || err == nil && string(out) != tt.json {
			t.Errorf("%s: in process: %s %v, want %s", tt.name, out, err, tt.json)
		}
	}
}

func TestAnEventIsSentAsItComes(t *testing.T) {
	next := make(chan bool)
	web := httptest.NewServer(streamServer(func(yield func(streamEvent, error) bool) {
		<-next
		yield(streamEvent{End: &streamEnd{}}, nil)
	}))
	defer web.Close()
	r, err := http.NewRequest("POST", web.URL+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/streams/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	m, err := eventstream.NewDecoder().Decode(res.Body, nil) // would wait for ever if the first event waited for the second
	if err != nil || string(m.Payload) != "one" {
		t.Fatal(m, err)
	}
	close(next)
	if rest := messages(t, res.Body); len(rest) != 1 {
		t.Errorf("then %v", rest)
	}
}

func TestWhoAsksForTheStreamReadsIt(t *testing.T) {
	read := 0
	s := streamServer(func(yield func(streamEvent, error) bool) { read++; yield(streamEvent{End: &streamEnd{}}, nil) })
	var out streamOut
	if err := s.Call(t.Context(), "streams", "Stream", nil, &out); err != nil || read != 0 {
		t.Fatal(read, err)
	}
	n := 0
	for _, err := range out.Events {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 || read != 1 {
		t.Errorf("%d events, read %d times", n, read)
	}
}
