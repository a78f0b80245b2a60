package runtimeapi

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"devstack/runtime/function"
)

// response takes what the handler returned, all of it or, in mode "streaming", as it comes. An error in the middle of a stream
// comes in trailers.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
func (a *API) response(w http.ResponseWriter, r *http.Request) {
	in, problem := a.claim(r.PathValue("id"), responding)
	if problem != nil {
		refuse(w, problem)
		return
	}
	var got answer
	switch mode := r.Header.Get("Lambda-Runtime-Function-Response-Mode"); {
	case in.event.Stream != nil && (mode == "streaming" || mode == "" && streamed(r)):
		got, problem = in.stream(r)
	case mode == "streaming", mode == "":
		got, problem = in.collect(r)
	default:
		got.err, problem = noSuchMode(mode), invalidMode
	}
	if p := a.settle(in, got); problem == nil {
		problem = p
	}
	accept(w, problem)
}

// streamed recognises a response that streams without a word of the mode: AWS's library for Go sends none, and has readers that
// handlers return, and responses with a prelude, travel in chunks with these types. That Lambda goes by them is a guess: such
// functions do stream there.
//
// https://github.com/aws/aws-lambda-go/blob/main/lambda/invoke_loop.go, runtime_api_client.go,
// https://github.com/aws/aws-lambda-go/blob/main/events/lambda_function_urls.go (LambdaFunctionURLStreamingResponse)
func streamed(r *http.Request) bool {
	kind := r.Header.Get("Content-Type")
	return r.ContentLength < 0 && (kind == "application/vnd.awslambda.http-integration-response" || kind == "application/octet-stream")
}

// noSuchMode fails the event as AWS does. Type: fatalerror.RuntimeInvalidResponseModeHeader of AWS's emulator; its body is
// empty there, and ours says what is wrong.
func noSuchMode(mode string) *function.FunctionError {
	const typ = "Runtime.InvalidResponseModeHeader"
	return &function.FunctionError{Type: typ, Payload: function.ErrorBody(typ,
		`Lambda-Runtime-Function-Response-Mode is "`+mode+`"; the one mode that is named is "streaming"`)}
}

// collect reads a response whole.
func (in *invocation) collect(r *http.Request) (answer, *problem) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, function.MaxResponse+1))
	switch {
	case err != nil:
		return in.cutShort(err)
	case len(payload) > function.MaxResponse:
		return answer{err: function.ResponseTooLarge()}, tooLarge
	}
	if failure := trailers(r.Trailer); failure != nil {
		return answer{err: failure}, nil
	}
	return answer{payload: payload}, nil
}

// stream hands a response on as it comes, and reads no faster than the event's Stream takes it. What comes after the reader
// has gone is read and dropped, so that the handler finishes as on AWS.
func (in *invocation) stream(r *http.Request) (answer, *problem) {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	in.event.Stream.Begin(contentType)
	var (
		buffer  = make([]byte, 32<<10)
		total   int64
		dropped bool
	)
	for {
		n, err := r.Body.Read(buffer)
		rest := function.MaxStreamedResponse - total
		if total += int64(n); !dropped && n > 0 {
			dropped = in.pass(buffer[:min(int64(n), rest)])
		}
		switch {
		case total > function.MaxStreamedResponse:
			return answer{err: function.StreamTooLarge()}, streamTooLarge
		case err == io.EOF:
			if failure := trailers(r.Trailer); failure != nil {
				return answer{err: failure}, nil
			}
			return answer{}, nil
		case err != nil:
			return in.cutShort(err)
		}
	}
}

// pass hands a piece on, and reports whether there is nobody to take the next.
func (in *invocation) pass(b []byte) (dropped bool) {
	select {
	case <-in.over:
		return true
	default:
	}
	_, err := in.event.Stream.Write(b)
	return err != nil
}

// patience is how long after its connection a process may end: a variable for the tests.
var patience = time.Second

// cutShort is the outcome of a response whose connection broke. Where that is because the runtime has ended, its end is the
// reason, and whoever waits for the answer learns of it as soon as it is known.
func (in *invocation) cutShort(err error) (answer, *problem) {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-in.gone:
		return answer{err: ErrEnded}, truncated
	case <-in.over:
		return answer{err: err}, truncated
	case <-wait.C:
	}
	// fatalerror.TruncatedResponse of AWS's emulator.
	const typ = "Runtime.TruncatedResponse"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the connection ended in the middle of it")
	}
	return answer{err: &function.FunctionError{Type: typ, Payload: function.ErrorBody(typ, "the response is incomplete: "+err.Error())}}, truncated
}

// trailers is the error that ended a stream, nil if none did.
func trailers(t http.Header) error {
	kind := t.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		return nil
	}
	encoded := strings.TrimSpace(t.Get("Lambda-Runtime-Function-Error-Body"))
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		body = []byte(encoded)
	}
	return failure(kind, body)
}
