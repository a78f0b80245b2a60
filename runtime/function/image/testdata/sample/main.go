// Command sample is the function in the tests' images. Its version is in the file /version or /var/task/version.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

var version string

type event struct {
	Do, Name, Line string
	Value          json.RawMessage
}

func main() {
	content, err := os.ReadFile("/version")
	if err != nil { // in an image that is a runtime's it is with the code
		content, err = os.ReadFile("/var/task/version")
	}
	if err != nil {
		panic(err)
	}
	version = string(content)
	switch version {
	case "bad":
		http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "application/json",
			strings.NewReader(`{"errorType":"Sample.Bad","errorMessage":"does not load"}`))
		os.Exit(1)
	case "mute":
		os.Exit(3)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, in event) (any, error) {
	switch in.Do {
	case "version":
		return version, nil
	case "echo":
		return in.Value, nil
	case "throw":
		return nil, errors.New("boom")
	case "sleep":
		time.Sleep(time.Minute)
	case "exit":
		os.Exit(1)
	case "env":
		return os.Getenv(in.Name), nil
	case "args":
		return os.Args[1:], nil
	case "read":
		content, err := os.ReadFile(in.Name)
		return string(content), err
	case "log":
		fmt.Println(in.Line)
		return nil, nil
	case "partial":
		fmt.Print(in.Line)
		os.Exit(1)
	case "write":
		return "written", os.WriteFile(in.Name, []byte("x"), 0o600)
	case "devour":
		var held [][]byte
		for range 1024 { // MiB, for an engine that sets no limit
			page := make([]byte, 1<<20)
			for i := range page {
				page[i] = 1
			}
			held = append(held, page)
		}
		return len(held), nil
	case "get":
		resp, err := http.Get(os.Getenv(in.Name))
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	return nil, fmt.Errorf("unknown event %q", in.Do)
}
