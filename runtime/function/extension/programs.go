package extension

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function/spawn"
)

// Programs are the external extensions in layers: what is in their folders "extensions". Of two with one name the later layer has
// the one that counts, as with all files below /opt.
func Programs(layers []string) []string {
	found := map[string]string{}
	for _, layer := range layers {
		dir := filepath.Join(layer, "extensions")
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // most layers have none
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				found[e.Name()] = path
			}
		}
	}
	names := slices.Sorted(maps.Keys(found))
	for i, name := range names {
		names[i] = found[name]
	}
	return names
}

// notTheirs are the variables that belong to the runtime alone.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-extensions-registration-api-e
var notTheirs = []string{
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_HANDLER",
}

// environment is what an external extension finds in its environment: the sandbox's, without what is the runtime's alone, and the
// address of the APIs.
func environment(sandbox []string, address string) []string {
	var out []string
	for _, kv := range sandbox {
		name, _, _ := strings.Cut(kv, "=")
		if name != "AWS_LAMBDA_RUNTIME_API" && !slices.Contains(notTheirs, name) {
			out = append(out, kv)
		}
	}
	return append(out, "AWS_LAMBDA_RUNTIME_API="+address)
}

// Spawn starts external extensions as processes of this machine.
func Spawn(keep spawn.Keeper) func(Program) (Process, error) {
	return func(p Program) (Process, error) {
		process, err := spawn.Start(spawn.Spec{Path: p.Path, Dir: filepath.Dir(filepath.Dir(p.Path)), Env: p.Env, Line: p.Line, Keep: keep})
		if err != nil {
			return nil, err
		}
		return process, nil
	}
}

// Beside makes the Host of a sandbox whose runtime takes its events by other means than HTTP, and starts what belongs beside the
// runtime. If it fails there is no Host.
func Beside(ctx context.Context, fn *config.Function, handler string, env []string, keep spawn.Keeper) (*Host, error) {
	h := New(ctx, Config{Function: fn, Handler: handler, Programs: Programs(fn.Layers), Env: env, Run: Spawn(keep)})
	err := h.Listen()
	if err == nil {
		err = h.Start(ctx)
	}
	if err != nil {
		h.Abandon()
		return nil, err
	}
	return h, nil
}

// Variable is the one by which the runtime, and what it has loaded, finds the APIs.
func (h *Host) Variable() string { return "AWS_LAMBDA_RUNTIME_API=" + h.Addr() }

// launchErrorType says in AWS's words why a program could not be started.
func launchErrorType(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "PermissionDenied"
	}
	return "UnknownError"
}

// exitCode is how AWS says that a process ended.
func exitCode(status string) string {
	if status == "" {
		return "exit code 0"
	}
	return strings.Replace(status, "exit status ", "exit code ", 1)
}
