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
	"strings"

	"devstack/emulators/lambda"
	"devstack/emulators/wire"
	"devstack/internal/trace"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/logs"
	"devstack/runtime/process"
	"devstack/runtime/provision"
)

// functions runs functions for the Lambda emulator: those of a stack, and those that its API has made.
type functions struct {
	stack   func() *config.Stack              // whose functions there are; nil: there is no stack
	manager func() (*function.Manager, error) // that runs them
	reach   func(ctx context.Context) error   // makes AWS reachable for containers
}

// lambda is the daemon's functions as its Lambda emulator knows them.
func (d *daemon) lambda() functions {
	return functions{stack: d.current, manager: func() (*function.Manager, error) { return d.functions, nil }, reach: d.listenForContainers}
}

// here reports whether an account and region are the stack's.
func (f functions) here(account, region string) bool {
	if f.stack == nil {
		return false
	}
	s := f.stack()
	return s.Account == account && s.Region == region
}

// List returns every function of the stack that was started.
func (f functions) List(account, region string) []lambda.Function {
	if !f.here(account, region) {
		return nil
	}
	m, err := f.manager()
	if err != nil {
		return nil
	}
	var out []lambda.Function
	for _, info := range m.List() {
		if info.Function.Deployed == "" {
			out = append(out, f.describe(info))
		}
	}
	return out
}

// Get returns one function of the stack.
func (f functions) Get(account, region, name string) (lambda.Function, bool) {
	if !f.here(account, region) {
		return lambda.Function{}, false
	}
	m, err := f.manager()
	if err != nil {
		return lambda.Function{}, false
	}
	info, err := m.Get(name)
	if err != nil {
		return lambda.Function{}, false
	}
	return f.describe(info), true
}

// describe is a function as Lambda reports it.
func (f functions) describe(info function.Info) lambda.Function {
	fn := info.Function
	described := lambda.Function{
		Name: fn.Name, Runtime: fn.Runtime, Handler: fn.Handler, Description: fn.Description, Environment: fn.Environment,
		Role: "arn:aws:iam::" + f.stack().Account + ":role/" + provision.RoleName(fn.Name), Timeout: int32(fn.Timeout), Memory: int32(fn.Memory),
		Image: fn.Runtime == "image", Architecture: architecture(), LastModified: info.LastModified, Code: func() (string, int64) { return codeHash(fn) },
		Storage: int32(fn.EphemeralStorage), Log: logging(fn), Tracing: fn.Tracing, Active: info.State != function.Failed, StateReason: info.Reason,
	}
	if fn.EntryPoint != nil || fn.Command != nil || fn.WorkingDirectory != "" {
		described.ImageConfig = &lambda.ImageConfig{EntryPoint: fn.EntryPoint, Command: fn.Command}
		if fn.WorkingDirectory != "" {
			described.ImageConfig.WorkingDirectory = &fn.WorkingDirectory
		}
	}
	return described
}

// logging is how a function logs. Levels are of JSON alone.
func logging(fn *config.Function) *lambda.LoggingConfig {
	group := fn.LogGroupName()
	if fn.LogFormat == "" {
		return &lambda.LoggingConfig{LogFormat: new("Text"), LogGroup: &group}
	}
	return &lambda.LoggingConfig{
		LogFormat: new(fn.LogFormat), LogGroup: &group,
		ApplicationLogLevel: new(orElse(fn.ApplicationLogLevel, "INFO")), SystemLogLevel: new(orElse(fn.SystemLogLevel, "INFO")),
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

// Deploy builds a version that the API has made.
func (f functions) Deploy(ctx context.Context, d lambda.Deployment) error {
	fn := deployed(d)
	m, err := f.manager()
	if err != nil {
		return err
	}
	if fn.Runtime == "image" {
		if err := f.reach(ctx); err != nil {
			return err
		}
	}
	if err := m.Put(ctx, fn); err != nil && !isOwnFault(err) {
		_ = m.Remove(fn.Key())
		return err
	}
	return nil
}

// deployed is a deployment as the runtime knows functions.
func deployed(d lambda.Deployment) *config.Function {
	fn := &config.Function{
		Name: d.Name, Deployed: d.Key, Runtime: d.Runtime, Source: d.Code, Handler: d.Handler, Image: d.Image, Environment: d.Environment,
		Timeout: d.Timeout, Memory: d.Memory, ARN: "arn:aws:lambda:" + d.Region + ":" + d.Account + ":function:" + d.Name, Layers: d.Layers,
		EphemeralStorage: d.EphemeralStorage, LogFormat: d.LogFormat, ApplicationLogLevel: d.ApplicationLogLevel, SystemLogLevel: d.SystemLogLevel,
		LogGroup: d.LogGroup, Tracing: d.Tracing, EntryPoint: d.EntryPoint, Command: d.Command, WorkingDirectory: d.WorkingDirectory,
	}
	if d.Version != "$LATEST" {
		fn.Version = d.Version
	}
	if d.Image != "" {
		fn.Runtime = "image"
	}
	if fn.LogFormat == "Text" {
		fn.LogFormat = ""
	}
	return fn
}

// Freeze copies a function of the stack, with what it imports from elsewhere in the stack's folder.
func (f functions) Freeze(ctx context.Context, account, region, name, dir string) (lambda.Frozen, error) {
	m, err := f.manager()
	if err != nil {
		return lambda.Frozen{}, err
	}
	if !f.here(account, region) {
		return lambda.Frozen{}, function.ErrNoFunction
	}
	frozen, err := m.Freeze(ctx, name, f.stack().Dir, dir)
	return lambda.Frozen{Source: frozen.Source, Layers: frozen.Layers}, err
}

// Withdraw ends a version that the API has made.
func (f functions) Withdraw(key string) {
	if m, err := f.manager(); err == nil {
		_ = m.Remove(key) // it may never have been called
	}
}

// Provision keeps sandboxes of a version started.
func (f functions) Provision(key string, n int) error {
	m, err := f.manager()
	if err != nil {
		return err
	}
	return m.Provision(f.runtimeKey(key), n)
}

// Provisioned is how many of them are, or why they cannot be.
func (f functions) Provisioned(key string) (int, error) {
	m, err := f.manager()
	if err != nil {
		return 0, err
	}
	info, err := m.Get(f.runtimeKey(key))
	if errors.Is(err, function.ErrNoFunction) {
		return 0, nil // it is yet to be deployed
	}
	if err == nil && info.State == function.Failed {
		err = errors.New(info.Reason)
	}
	return info.ProvisionedReady, err
}

// functionEnv is what a function finds of AWS in its environment: its own account and region.
func functionEnv(endpoint string, fn *config.Function) []string {
	region, account := arnPlace(fn.ARN)
	return process.List(awsEnv(endpoint, region, account))
}

// arnPlace is the region and account in an ARN.
func arnPlace(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return wire.DefaultRegion, wire.DefaultAccount
	}
	return parts[3], parts[4]
}

// runtimeKey is the Manager's key of what Lambda knows by a key: the name of a function of the stack, and else the same.
func (f functions) runtimeKey(key string) string {
	region, account := arnPlace(key)
	name, latest := strings.CutPrefix(key, "arn:aws:lambda:"+region+":"+account+":function:")
	if !latest || !f.here(account, region) {
		return key
	}
	if m, err := f.manager(); err == nil {
		if _, err := m.Get(name); err == nil {
			return name
		}
	}
	return key
}

// Invoke runs a function. What kept it from running is told in Lambda's words.
func (f functions) Invoke(ctx context.Context, key string, ev lambda.Event) (*lambda.Outcome, error) {
	m, err := f.manager()
	if err != nil {
		return nil, err
	}
	out, err := m.Invoke(ctx, f.runtimeKey(key), function.Invocation{
		Payload: ev.Payload, ClientContext: ev.ClientContext, ARN: ev.ARN, TraceID: trace.Header(ctx), RequestID: wire.From(ctx).ID, Stream: ev.Stream,
	})
	var payload *function.PayloadError
	switch {
	case errors.As(err, &payload):
		return nil, wire.Errorf("RequestTooLargeException", http.StatusRequestEntityTooLarge, "%v", payload)
	case err != nil:
		return nil, fmt.Errorf("invoke %s: %w", key, err)
	}
	return &lambda.Outcome{Payload: out.Payload, Failed: out.FunctionError != "", Fault: out.Fault, LogTail: out.LogTail}, nil
}

// functionLog takes a line that a function wrote: for the terminal, and for CloudWatch Logs.
func (d *daemon) functionLog(l function.Line) {
	d.logs.Append("function."+l.Function, logs.Line{Text: l.Text, RequestID: l.RequestID, Stream: "stdout"})
	d.shipper.shipFor(l.ARN, l.Group, l.Stream, d.clock.Now(), l.Text)
}
