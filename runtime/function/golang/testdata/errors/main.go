// Command errors is a function that fails in all ways that a Go function can, and streams.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

type event struct {
	Do    string
	Count int
}

type valueError struct{}

func (valueError) Error() string { return "a value" }

type pointerError struct{}

func (*pointerError) Error() string { return "a pointer" }

var nothing *event

func handle(_ context.Context, in event) (any, error) {
	switch in.Do {
	case "error":
		return nil, errors.New("Error: some_error_msg")
	case "wrapped":
		return nil, fmt.Errorf("while reading: %w", io.EOF)
	case "value":
		return nil, valueError{}
	case "pointer":
		return nil, &pointerError{}
	case "own":
		return nil, messages.InvokeResponse_Error{Type: "Mine", Message: "my own"}
	case "panic":
		panic("a string")
	case "panic error":
		panic(errors.New("an error"))
	case "panic own":
		panic(messages.InvokeResponse_Error{Type: "Mine", Message: "my own"})
	case "nil":
		return nothing.Do, nil
	case "map":
		var m map[string]int
		m["a"] = in.Count
	case "index":
		return []int{1}[in.Count+3], nil
	case "no json":
		return func() {}, nil
	case "fatal":
		log.Fatal("fatal words")
	case "exit":
		os.Exit(in.Count)
	case "goroutine":
		go panic("elsewhere")
		time.Sleep(time.Minute)
	case "stream":
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 201, Headers: map[string]string{"Content-Type": "text/plain"}, Cookies: []string{"a=b"}, Body: strings.NewReader("whole"),
		}, nil
	case "slow stream":
		r, w := io.Pipe()
		go func() {
			for n := range 3 {
				fmt.Fprintf(w, "piece %d\n", n)
				time.Sleep(50 * time.Millisecond)
			}
			w.CloseWithError(map[bool]error{true: errors.New("broken off")}[in.Count > 0])
		}()
		return &events.LambdaFunctionURLStreamingResponse{Body: r}, nil
	}
	return nil, nil
}

func main() { lambda.Start(handle) }
