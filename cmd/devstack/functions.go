package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	goruntime "runtime"

	"devstack/emulators/lambda"
	"devstack/emulators/wire"
	"devstack/internal/trace"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/logs"
	"devstack/runtime/provision"
)

// functions shows the runtime's functions to the Lambda emulator.
type functions struct{ d *daemon }

// List returns every function of the stack that was started.
func (f functions) List() []lambda.Function {
	var out []lambda.Function
	for _, info := range f.d.functions.List() {
		out = append(out, f.describe(info))
	}
	return out
}

// Get returns one function.
func (f functions) Get(name string) (lambda.Function, bool) {
	info, err := f.d.functions.Get(name)
	if err != nil {
		return lambda.Function{}, false
	}
	return f.describe(info), true
}

// describe is a function as Lambda reports it.
func (f functions) describe(info function.Info) lambda.Function {
	fn := info.Function
	return lambda.Function{
		Name: fn.Name, Runtime: fn.Runtime, Handler: fn.Handler, Description: fn.Description, Environment: fn.Environment,
		Role: "arn:aws:iam::" + f.d.current().Account + ":role/" + provision.RoleName(fn.Name), Timeout: int32(fn.Timeout), Memory: int32(fn.Memory),
		Image: fn.Runtime == "image", Architecture: architecture(), LastModified: info.LastModified, Code: func() (string, int64) { return codeHash(fn) },
		Active: info.State != function.Failed, StateReason: info.Reason,
	}
}

// architecture is this machine's, by Lambda's names.
func architecture() string {
	if goruntime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// codeHash is the SHA-256 of a function's sources in base64, and their size in bytes. Of an image that is not built here only its
// name is known.
func codeHash(fn *config.Function) (string, int64) {
	h := sha256.New()
	size := int64(0)
	io.WriteString(h, fn.Image)
	root := orElse(fn.Source, fn.Build)
	if root == "" {
		return base64.StdEncoding.EncodeToString(h.Sum(nil)), 0
	}
	for _, path := range function.Files(root) {
		src, err := os.Open(path)
		if err != nil {
			continue // removed meanwhile
		}
		n, _ := io.Copy(h, src) // a folder has no content
		src.Close()
		size += n
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), size
}

// Invoke runs a function. What kept it from running is told in Lambda's words.
func (f functions) Invoke(ctx context.Context, name string, ev lambda.Event) (*lambda.Outcome, error) {
	out, err := f.d.functions.Invoke(ctx, name, function.Invocation{
		Payload: ev.Payload, ClientContext: ev.ClientContext, TraceID: trace.Header(ctx), RequestID: wire.From(ctx).ID,
	})
	var payload *function.PayloadError
	switch {
	case errors.As(err, &payload):
		return nil, wire.Errorf("RequestTooLargeException", http.StatusRequestEntityTooLarge, "%v", payload)
	case err != nil:
		return nil, fmt.Errorf("invoke %s: %w", name, err)
	}
	return &lambda.Outcome{Payload: out.Payload, Failed: out.FunctionError != "", LogTail: out.LogTail}, nil
}

// functionLog takes a line that a function wrote: for the terminal, and for CloudWatch Logs.
func (d *daemon) functionLog(l function.Line) {
	d.logs.Append("function."+l.Function, logs.Line{Text: l.Text, RequestID: l.RequestID, Stream: "stdout"})
	d.shipper.ship(l.Group, l.Stream, d.clock.Now(), l.Text)
}
