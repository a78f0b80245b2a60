package runtimeapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
)

// sink is a reader of a streamed response.
type sink struct {
	pieces chan string // each piece, as it comes; nil: they are kept in all
	gone   bool        // every Write fails

	mu          sync.Mutex
	contentType string
	all         bytes.Buffer
	writes      int
}

func (s *sink) Begin(contentType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contentType = contentType
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.writes++
	s.mu.Unlock()
	if s.gone {
		return 0, io.ErrClosedPipe
	}
	if s.pieces != nil {
		s.pieces <- string(b)
		return len(b), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

const streaming = "Lambda-Runtime-Function-Response-Mode: streaming\r\n"

// connection is a runtime's, spoken to byte by byte.
type connection struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, api *runtimeapi.API) connection {
	t.Helper()
	c, err := net.Dial("tcp", api.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return connection{c, t, bufio.NewReader(c)}
}

func (c connection) begin(id, headers string) {
	c.t.Helper()
	c.send("POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" + headers + "\r\n")
}

func (c connection) chunk(text string) { c.send(fmt.Sprintf("%x\r\n%s\r\n", len(text), text)) }

func (c connection) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Error(err)
	}
}

func (c connection) answer() string {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body))
}

func TestAStreamedResponseIsHandedOnAsItComes(t *testing.T) {
	api, c := open(t)
	s := &sink{pieces: make(chan string)}
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Stream: s}, nil)
	c.next()
	conn := dial(t, api)
	const prelude = `{"statusCode":201}` + "\x00\x00\x00\x00\x00\x00\x00\x00"
	conn.begin("r-1", streaming+"Content-Type: application/vnd.awslambda.http-integration-response\r\n")
	for _, piece := range []string{prelude, "one", "two"} {
		conn.chunk(piece)
		if got := <-s.pieces; got != piece { // before the next is sent
			t.Fatalf("got %q, want %q", got, piece)
		}
	}
	if got := c.post("invocation/r-1/error", "{}"); got != forbidden("InvocationResponse", "InvocationErrorResponse") {
		t.Errorf("an error beside the response: %s", got)
	}
	conn.send("0\r\n\r\n")
	if got := conn.answer(); got != accepted {
		t.Error(got)
	}
	if r := <-done; r.err != nil || r.payload != nil {
		t.Errorf("the caller got %q, %v", r.payload, r.err)
	}
	if s.contentType != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("the content type is %q", s.contentType)
	}
}

func TestAStreamThatNobodyTakesIsCollected(t *testing.T) {
	api, c := open(t)
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1"}, nil)
	c.next()
	conn := dial(t, api)
	conn.begin("r-1", streaming)
	conn.chunk("one")
	conn.chunk("two")
	conn.send("0\r\n\r\n")
	if got := conn.answer(); got != accepted {
		t.Error(got)
	}
	if r := <-done; r.err != nil || string(r.payload) != "onetwo" {
		t.Errorf("the caller got %q, %v", r.payload, r.err)
	}
}

func TestAnErrorInTheMiddleOfAStream(t *testing.T) {
	const body = `{"errorType":"E","errorMessage":"m"}`
	for _, tt := range []struct {
		name, trailers, typ, payload string
		stream                       bool
	}{
		{"streamed", "Lambda-Runtime-Function-Error-Type: E\r\nLambda-Runtime-Function-Error-Body: " + base64.StdEncoding.EncodeToString([]byte(body)), "E", body, true},
		{"collected", "Lambda-Runtime-Function-Error-Type: E\r\nLambda-Runtime-Function-Error-Body: " + base64.StdEncoding.EncodeToString([]byte(body)), "E", body, false},
		{"without a body", "Lambda-Runtime-Function-Error-Type: Runtime.Bad", "Runtime.Bad", `{"errorType":"Runtime.Bad","errorMessage":""}`, true},
		{"with a body that is not base64", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\nLambda-Runtime-Function-Error-Body: {!", "Runtime.Bad", `{"errorType":"Runtime.Bad","errorMessage":"{!"}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, c := open(t)
			ev := &function.Event{RequestID: "r-1"}
			if tt.stream {
				ev.Stream = &sink{}
			}
			done := invoke(t.Context(), api, ev, nil)
			c.next()
			conn := dial(t, api)
			conn.begin("r-1", streaming+"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n")
			conn.chunk("half of it")
			conn.send("0\r\n" + tt.trailers + "\r\n\r\n")
			if got := conn.answer(); got != accepted {
				t.Error(got)
			}
			var failure *function.FunctionError
			if r := <-done; !errors.As(r.err, &failure) || failure.Type != tt.typ || string(failure.Payload) != tt.payload {
				t.Errorf("the caller got %v", r.err)
			}
			if s, ok := ev.Stream.(*sink); ok && s.all.String() != "half of it" {
				t.Errorf("before the error there was %q", s.all.String())
			}
		})
	}
}

func TestARuntimeThatDiesInTheMiddleOfAStream(t *testing.T) {
	api, c := open(t)
	gone := make(chan struct{})
	s := &sink{pieces: make(chan string, 1)}
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Stream: s}, gone)
	c.next()
	conn := dial(t, api)
	conn.begin("r-1", streaming)
	conn.chunk("one")
	<-s.pieces
	conn.Close()
	close(gone)
	if r := <-done; r.err != runtimeapi.ErrEnded {
		t.Errorf("the caller got %v", r.err)
	}
}

func TestAConnectionThatBreaksInTheMiddleOfAResponse(t *testing.T) {
	for _, mode := range []string{streaming, ""} {
		api, c := open(t)
		s := &sink{}
		done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Stream: s}, make(chan struct{}))
		c.next()
		conn := dial(t, api)
		conn.begin("r-1", mode)
		conn.chunk("one")
		conn.Close()
		var failure *function.FunctionError
		if r := <-done; !errors.As(r.err, &failure) || failure.Type != "Runtime.TruncatedResponse" {
			t.Errorf("%q: the caller got %v", mode, r.err)
		}
	}
}

func TestAReaderThatIsGone(t *testing.T) {
	api, c := open(t)
	s := &sink{gone: true}
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Stream: s}, nil)
	c.next()
	conn := dial(t, api)
	conn.begin("r-1", streaming)
	for range 100 { // the handler comes to its end all the same
		conn.chunk(strings.Repeat("x", 64<<10))
	}
	conn.send("0\r\n\r\n")
	if got := conn.answer(); got != accepted {
		t.Error(got)
	}
	if r := <-done; r.err != nil {
		t.Errorf("the caller got %v", r.err)
	}
	if s.writes != 1 {
		t.Errorf("%d pieces were offered to a reader that was gone", s.writes)
	}
}

func TestAStreamEndsWithItsInvocation(t *testing.T) {
	api, c := open(t)
	s := &sink{pieces: make(chan string)}
	ctx, cancel := context.WithCancel(t.Context())
	done := invoke(ctx, api, &function.Event{RequestID: "r-1", Stream: s}, nil)
	c.next()
	conn := dial(t, api)
	conn.begin("r-1", streaming)
	conn.chunk("one")
	<-s.pieces
	cancel()
	if r := <-done; r.err != context.Canceled {
		t.Fatalf("the caller got %v", r.err)
	}
	conn.chunk("two")
	conn.send("0\r\n\r\n")
	if got := conn.answer(); got != unknown {
		t.Errorf("a response that nobody waits for any more: %s", got)
	}
	if s.writes != 1 {
		t.Errorf("%d pieces", s.writes)
	}
}

func TestAStreamThatIsTooLarge(t *testing.T) {
	api, c := open(t)
	s := &counter{}
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Stream: s}, nil)
	c.next()
	req, err := http.NewRequest("POST", c.base+"invocation/r-1/response", io.LimitReader(zeros{}, function.MaxStreamedResponse+1))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", resp.Status)
	}
	var failure *function.FunctionError
	if r := <-done; !errors.As(r.err, &failure) || failure.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("the caller got %v", r.err)
	}
	if s.n != function.MaxStreamedResponse {
		t.Errorf("%d bytes were passed on", s.n)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

type counter struct{ n int64 }

func (c *counter) Begin(string)                {}
func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

func TestAModeThatThereIsNot(t *testing.T) {
	api, c := open(t)
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1"}, nil)
	c.next()
	conn := dial(t, api)
	conn.begin("r-1", "Lambda-Runtime-Function-Response-Mode: slow\r\n")
	conn.send("0\r\n\r\n")
	if got, want := conn.answer(), `400 {"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`; got != want {
		t.Errorf("got %s", got)
	}
	var failure *function.FunctionError
	if r := <-done; !errors.As(r.err, &failure) || failure.Type != "Runtime.InvalidResponseModeHeader" {
		t.Errorf("the caller got %v", r.err)
	}
}

// FuzzStream has a runtime send all kinds of responses, byte by byte: whatever it sends, the event is answered once, with what
// came or an error whose body is JSON, and the server lives on.
func FuzzStream(f *testing.F) {
	runtimeapi.SetPatience(time.Millisecond)
	f.Cleanup(func() { runtimeapi.SetPatience(time.Second) })
	f.Add(streaming, "3\r\none\r\n0\r\n\r\n")
	f.Add(streaming+"Trailer: Lambda-Runtime-Function-Error-Type\r\n", "0\r\nLambda-Runtime-Function-Error-Type: E\r\n\r\n")
	f.Add(streaming, "ffffffffffffffff\r\n")
	f.Add("Lambda-Runtime-Function-Response-Mode: \x00\r\n", "0\r\n\r\n")
	f.Fuzz(func(t *testing.T, headers, body string) {
		api, err := runtimeapi.New()
		if err != nil {
			t.Fatal(err)
		}
		defer api.Close()
		gone := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := invoke(ctx, api, &function.Event{RequestID: "r-1", Stream: &counter{}}, gone)
		client{t, "http://" + api.Addr() + "/2018-06-01/runtime/"}.next()
		conn := dial(t, api)
		io.WriteString(conn, "POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"+headers+"\r\n"+body)
		conn.Conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
		close(gone)
		var failure *function.FunctionError
		r := <-done
		if r.err != nil && r.err != runtimeapi.ErrEnded && (!errors.As(r.err, &failure) || failure.Type == "") {
			t.Errorf("%q %q: %v", headers, body, r.err)
		}
	})
}
