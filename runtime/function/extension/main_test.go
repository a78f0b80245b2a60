package extension_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test's own program is the runtime and the extensions of the functions in these tests, by the name that it is started under.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); {
	case name == "bootstrap":
		runtimeMain()
	case strings.HasPrefix(name, "ext-"):
		extensionMain(name)
	default:
		os.Exit(m.Run())
	}
}

// call calls the sandbox's APIs; it ends the program with them.
func call(method, path, body string, headers map[string]string) (*http.Response, string) {
	req, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		os.Exit(9)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		os.Exit(9)
	}
	return resp, string(text)
}

// note writes a line to the file by which a program tells the test what it saw.
func note(who, what string) {
	f, err := os.OpenFile(filepath.Join(os.Getenv("NOTES"), who), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, what)
}

// runtimeMain echoes events. It is an internal extension too if it is asked to be.
func runtimeMain() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		note("runtime", "SIGTERM")
		os.Exit(0)
	}()
	if os.Getenv("INTERNAL") != "" {
		_, answer := call("POST", "/2020-01-01/extension/register", `{"events":["SHUTDOWN"]}`, map[string]string{"Lambda-Extension-Name": "inside"})
		note("runtime", answer)
		resp, answer := call("POST", "/2020-01-01/extension/register", `{"events":["INVOKE"]}`, map[string]string{"Lambda-Extension-Name": "inside"})
		note("runtime", answer)
		id := resp.Header.Get("Lambda-Extension-Identifier")
		go func() {
			for {
				_, event := call("GET", "/2020-01-01/extension/event/next", "", map[string]string{"Lambda-Extension-Identifier": id})
				note("runtime", event)
			}
		}()
	}
	for {
		resp, event := call("GET", "/2018-06-01/runtime/invocation/next", "", nil)
		fmt.Println("handling", event)
		if event == `"sleep"` {
			time.Sleep(time.Hour)
		}
		call("POST", "/2018-06-01/runtime/invocation/"+resp.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", event, nil)
	}
}

// extensionMain notes what it is told: its name says what else it does.
func extensionMain(name string) {
	if name == "ext-early" {
		os.Exit(2)
	}
	resp, answer := call("POST", "/2020-01-01/extension/register", `{"events":["INVOKE","SHUTDOWN"]}`, map[string]string{
		"Lambda-Extension-Name": name, "Lambda-Extension-Accept-Feature": "accountId",
	})
	note(name, fmt.Sprint(resp.StatusCode, " ", answer))
	id := map[string]string{
		"Lambda-Extension-Identifier": resp.Header.Get("Lambda-Extension-Identifier"), "Lambda-Extension-Function-Error-Type": "Extension.NoReason",
	}
	switch name {
	case "ext-initerror":
		call("POST", "/2020-01-01/extension/init/error", `{}`, id)
		os.Exit(1)
	case "ext-telemetry":
		subscribe(name, id)
	}
	for {
		_, event := call("GET", "/2020-01-01/extension/event/next", "", id)
		note(name, event)
		switch {
		case strings.Contains(event, "SHUTDOWN"):
			if name == "ext-telemetry" {
				time.Sleep(100 * time.Millisecond) // for the last of it
			}
			os.Exit(0)
		case name == "ext-crash":
			os.Exit(3)
		case name == "ext-exiterror":
			call("POST", "/2020-01-01/extension/exit/error", `{}`, id)
			os.Exit(1)
		case name == "ext-stuck":
			time.Sleep(time.Hour)
		case name == "ext-slow":
			for _, err := os.Stat(os.Getenv("GATE")); err != nil; _, err = os.Stat(os.Getenv("GATE")) {
				time.Sleep(time.Millisecond)
			}
		}
		fmt.Println("the extension has seen an event")
	}
}

// subscribe has telemetry noted, an event a line.
func subscribe(name string, id map[string]string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var events []json.RawMessage
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &events)
		}
		if err != nil {
			note(name, "telemetry "+err.Error())
		}
		for _, e := range events {
			note(name, "telemetry "+string(bytes.TrimSpace(e)))
		}
	}))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	resp, answer := call("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2022-12-13","types":["platform","function","extension"],`+
		`"buffering":{"timeoutMs":25,"maxBytes":262144,"maxItems":1000},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:`+port+`/path"}}`, id)
	note(name, fmt.Sprint("subscribed ", resp.StatusCode, " ", answer))
}
