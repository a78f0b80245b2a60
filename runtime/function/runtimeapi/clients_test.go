package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// TestMain is also a function on AWS's runtime client for Go: it does what the event asks for.
func TestMain(m *testing.M) {
	switch os.Getenv("MODE") {
	case "":
		os.Exit(m.Run())
	case "init":
		panic("bad init")
	case "stream":
		lambda.Start(func() (any, error) { return &pieces{[]string{"one", "two", "three"}}, nil })
	}
	lambda.Start(func(ctx context.Context, in struct {
		Do    string
		Value any
	}) (any, error) {
		switch in.Do {
		case "throw":
			return nil, errors.New("boom")
		case "context":
			c, _ := lambdacontext.FromContext(ctx)
			return map[string]any{
				"request": c.AwsRequestID, "arn": c.InvokedFunctionArn, "client": c.ClientContext.Custom,
				"identity": c.Identity.CognitoIdentityID, "tenant": c.TenantID,
			}, nil
		}
		return in.Value, nil
	})
}

// pieces is read one at a time.
type pieces struct{ rest []string }

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[0])
	p.rest = p.rest[1:]
	return n, nil
}

// official is one of AWS's runtime clients, and how the test's function runs on it.
type official struct {
	name     string
	made     string // file that testdata/prepare.sh makes, in its cache
	args     func(dir string) []string
	streams  bool
	thrown   string // type of its error
	initType string // type of its failed initialisation, "" where the process ends without a word
}

var officials = []official{
	{"Go", "", func(string) []string { return []string{os.Args[0]} }, true, "errorString", ""},
	{"Node", "node/client.mjs", func(dir string) []string {
		return []string{"node", filepath.Join(dir, "node_modules/aws-lambda-ric/index.mjs"), "client.handler"}
	}, true, "TypeError", "TypeError"},
	{"Python", "python/client.py", func(string) []string { return []string{"python3", "-m", "awslambdaric", "client.handler"} }, false, "ValueError", "ValueError"},
	{"Java", "java/Client.class", func(dir string) []string {
		return []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", dir + "/*:" + dir,
			"com.amazonaws.services.lambda.runtime.api.client.AWSLambda", "Client::handleRequest"}
	}, false, "java.lang.IllegalStateException", "java.lang.IllegalStateException"},
	{"Rust", "rust/bootstrap", func(dir string) []string { return []string{filepath.Join(dir, "bootstrap")} }, true, "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>", ""},
}

// start runs the function in one of its modes.
func (o official) start(t *testing.T, mode string) (*runtimeapi.API, *spawn.Process) {
	t.Helper()
	dir := t.TempDir()
	if o.made != "" {
		cache, err := filepath.Abs("../../../testdata/.cache/clients")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(cache, o.made)
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), ".made")); err != nil && os.Getenv("CI") == "" {
			t.Skipf("AWS's runtime client for %s has not been made; testdata/prepare.sh makes it", o.name)
		} else if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Dir(path)
	}
	api, err := runtimeapi.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	args := o.args(dir)
	program, err := exec.LookPath(args[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := spawn.Start(spawn.Spec{
		Path: program, Args: args[1:], Dir: dir, Line: func(text string) { t.Log(text) },
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_LAMBDA_RUNTIME_API=" + api.Addr(), "MODE=" + mode, "_HANDLER=client.handler",
			"LAMBDA_TASK_ROOT=" + dir, "PYTHONPATH=" + dir, "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_LOG_GROUP_NAME=g", "AWS_LAMBDA_LOG_STREAM_NAME=s", "AWS_REGION=us-east-1",
			"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return api, p
}

// event is an invocation with everything that a caller can say.
func event(payload string) *function.Event {
	return &function.Event{
		RequestID: "8f507cfc-0000-4697-b07a-ac58fc914c95", Payload: []byte(payload), Timeout: time.Minute,
		ARN: "arn:aws:lambda:us-east-1:123456789012:function:f", TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
		ClientContext: `{"client":{"installation_id":"x","app_title":"x","app_version_name":"1","app_version_code":"1","app_package_name":"x"},"custom":{"k":"v"},"env":{}}`, Identity: `{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}`, Tenant: "t-1",
	}
}

// AWS's own clients speak to the Runtime API, unmodified.
func TestOfficialClients(t *testing.T) {
	for _, o := range officials {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			t.Run("events", func(t *testing.T) { o.events(t) })
			t.Run("a failed initialisation", func(t *testing.T) { o.badInit(t) })
			if o.streams {
				t.Run("a stream", func(t *testing.T) { o.stream(t) })
			}
		})
	}
}

func (o official) events(t *testing.T) {
	api, p := o.start(t, "events")
	ask := func(payload string) ([]byte, error) {
		return api.Invoke(t.Context(), event(payload), p.Done())
	}
	for _, value := range []string{`{"a":[1,null,"é"]}`, `"text"`} {
		got, err := ask(`{"do":"echo","value":` + value + `}`)
		if err != nil || !sameJSON(got, value) {
			t.Fatalf("an echo of %s is %s, %v", value, got, err)
		}
	}
	var failure *function.FunctionError
	if _, err := ask(`{"do":"throw"}`); !errors.As(err, &failure) || failure.Type != o.thrown || !strings.Contains(string(failure.Payload), "boom") {
		t.Errorf("a thrown error is %v", err)
	}
	want := `{"request":"8f507cfc-0000-4697-b07a-ac58fc914c95","arn":"arn:aws:lambda:us-east-1:123456789012:function:f","client":{"k":"v"},"identity":"i","tenant":"t-1"}`
	if got, err := ask(`{"do":"context"}`); err != nil || !sameJSON(got, want) {
		t.Errorf("its context is %s, %v", got, err)
	}
}

func (o official) badInit(t *testing.T) {
	api, p := o.start(t, "init")
	select {
	case failed := <-api.Failed():
		if failed.Type != o.initType || !strings.Contains(string(failed.Payload), "bad init") {
			t.Errorf("it says %v, want type %s", failed, o.initType)
		}
	case <-api.Ready():
		t.Error("it waits for an event")
	case <-p.Done():
		if o.initType != "" {
			t.Errorf("it ended: %s", p.Status())
		}
	}
}

func (o official) stream(t *testing.T) {
	api, p := o.start(t, "stream")
	for range 2 { // the connection is used again
		s := &sink{}
		ev := event(`{"do":"stream"}`)
		ev.Stream = s
		got, err := api.Invoke(t.Context(), ev, p.Done())
		text := s.all.String()
		if o.name == "Rust" { // its client begins every stream with a prelude
			_, text, _ = strings.Cut(text, "\x00\x00\x00\x00\x00\x00\x00\x00")
		}
		if err != nil || got != nil || text != "onetwothree" || s.contentType == "" {
			t.Errorf("got %q, %v and a stream of %q as %q", got, err, s.all.String(), s.contentType)
		}
	}
	if o.name != "Node" {
		return
	}
	s := &sink{}
	ev := event(`{"do":"prelude"}`)
	ev.Stream = s
	_, err := api.Invoke(t.Context(), ev, p.Done())
	if want := "{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00onetwothree"; err != nil || s.all.String() != want {
		t.Errorf("with a prelude: %v and %q as %q", err, s.all.String(), s.contentType)
	}
	s = &sink{}
	ev = event(`{"do":"throw"}`)
	ev.Stream = s
	var failure *function.FunctionError
	if _, err := api.Invoke(t.Context(), ev, p.Done()); !errors.As(err, &failure) || failure.Type != "TypeError" {
		t.Errorf("an error in the middle is %v", err)
	}
}

func sameJSON(got []byte, want string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return false
	}
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}
