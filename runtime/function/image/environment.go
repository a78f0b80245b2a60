package image

import (
	"context"
	"slices"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// images says which variables are the image's own: where things are in it, and by which language its programs speak. AWS's
// base images set all of them but HOME and TMPDIR, and their entry point sets _HANDLER to the image's CMD.
var images = []string{"PATH", "HOME", "TMPDIR", "LANG", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "LD_LIBRARY_PATH"}

// environment is a sandbox's environment in a container: without what is true of this machine only, with the container's
// way to this machine in place of the loopback address, and with the address of the Runtime API.
//
// AWS's base images start their interface emulator only where AWS_LAMBDA_RUNTIME_API is not set, and their documentation
// tells others to do the same: https://github.com/aws/aws-lambda-runtime-interface-emulator#build-rie-into-your-base-image
func (e *Engine) environment(ctx context.Context, fn *config.Function, env []string, api string) ([]string, error) {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		own, given := fn.Environment[name]
		switch {
		case given && function.HasPaths(name):
			out = append(out, name+"="+own) // as it was written: paths are the container's
		case given || !slices.Contains(images, name):
			out = append(out, kv)
		}
	}
	if fn.Handler != "" {
		out = append(out, "_HANDLER="+fn.Handler)
	}
	out, err := e.docker.Env(ctx, out)
	return append(out, "AWS_LAMBDA_RUNTIME_API="+api), err
}
