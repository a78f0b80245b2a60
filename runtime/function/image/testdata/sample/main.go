// Command sample is the function in the tests' images. Its version is in the file /version or /var/task/version.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

var version string

type event struct {
	Do, Name, Line string
	Value          json.RawMessage
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "orphan" {
		orphan()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "brief" {
		time.Sleep(20 * time.Millisecond)
		return
	}
	content, err := os.ReadFile("/version")
	if err != nil { // in an image that is a runtime's it is with the code
		content, err = os.ReadFile("/var/task/version")
	}
	if err != nil {
		panic(err)
	}
	version = string(content)
	if strings.HasPrefix(os.Args[0], "/opt/extensions/") {
		extend()
	}
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

// extend is an external extension, by its name.
func extend() {
	name := filepath.Base(os.Args[0])
	if name == "early" {
		os.Exit(2)
	}
	id := call("POST", "/2020-01-01/extension/register", `{"events":["INVOKE","SHUTDOWN"]}`, "Lambda-Extension-Name", name).Header.Get("Lambda-Extension-Identifier")
	if name == "telemetry" {
		listen(id)
	}
	fmt.Println(name, "registered, with handler", os.Getenv("_HANDLER"), "and colour", os.Getenv("COLOUR"))
	for {
		event, err := io.ReadAll(call("GET", "/2020-01-01/extension/event/next", "", "Lambda-Extension-Identifier", id).Body)
		if err != nil {
			panic(err)
		}
		var what struct{ EventType string }
		if err := json.Unmarshal(event, &what); err != nil {
			panic(err)
		}
		fmt.Println(name, "sees", what.EventType)
		switch {
		case what.EventType == "SHUTDOWN":
			os.Exit(0)
		case name == "crash":
			os.Exit(3)
		}
	}
}

// listen has telemetry told to a server in the container, which prints the types of events.
func listen(id string) {
	l, err := net.Listen("tcp", "sandbox.localdomain:4243")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var events []struct{ Type string }
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
			panic(err)
		}
		for _, e := range events {
			fmt.Println("told of", e.Type)
		}
	}))
	call("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2022-12-13","types":["platform"],"buffering":{"timeoutMs":25,"maxBytes":262144,"maxItems":1000},`+
		`"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:4243/"}}`, "Lambda-Extension-Identifier", id)
}

// call calls the sandbox's APIs.
func call(method, path, body string, header, value string) *http.Response {
	req, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	return resp
}

// zombies waits until no process of the container has ended without being waited for, and returns how many there are at last.
func zombies() (n int) {
	for range 1000 {
		n = 0
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			panic(err)
		}
		for _, path := range stats {
			if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), ") Z ") {
				n++
			}
		}
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return n
}

// orphan starts processes that become somebody else's, as it ends at once.
func orphan() {
	for range 10 {
		if err := exec.Command(os.Args[0], "brief").Start(); err != nil {
			panic(err)
		}
	}
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
	case "hang":
		fmt.Println("hanging")
		select {}
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
	case "signal":
		signal.Reset()
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	case "orphan": // a grandchild that outlives its parent by a moment
		out, err := exec.Command(os.Args[0], "orphan").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return zombies(), nil
	case "uid":
		return os.Getuid(), nil
	case "dir":
		return os.Getwd()
	case "flood":
		for i := range 5000 {
			fmt.Println("flood", i)
		}
		return nil, nil
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
