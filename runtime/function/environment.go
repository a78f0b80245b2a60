package function

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"devstack/runtime/config"
)

// TaskRoot is the folder that stands for /var/task: a function's source folder, or the one that its source file is in.
func TaskRoot(fn *config.Function) string {
	if fn.Source == "" {
		return ""
	}
	if info, err := os.Stat(fn.Source); err == nil && info.IsDir() {
		return fn.Source
	}
	return filepath.Dir(fn.Source)
}

// MemoryLimit is how many bytes a function's processes may hold together, 0 for any number: one that is being debugged has no
// limit, as it has no timeout.
func MemoryLimit(fn *config.Function) int64 {
	if fn.Debug != 0 {
		return 0
	}
	return int64(fn.Memory) << 20
}

// environment is everything a sandbox finds in its environment but AWS_LAMBDA_RUNTIME_API, which is the engine's to add,
// and _X_AMZN_TRACE_ID, which a runtime sets for each event. It begins with nothing: of the daemon's own environment a
// function sees where programs and home are, so that no real credential reaches it. Then come aws, what the stack gives all
// functions (region, endpoint, credentials), the function's own variables, and those that Lambda reserves. In the end paths are
// made those of the sandbox's places.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func environment(fn *config.Function, aws []string, stream string, at places, provisioned bool) []string {
	vars := map[string]string{
		"PATH":                     os.Getenv("PATH"),
		"HOME":                     os.Getenv("HOME"),
		"TMPDIR":                   os.TempDir(),
		"LANG":                     "en_US.UTF-8",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		// Where AWS's daemon listens by default: one that the developer runs is found, and nothing else is sent anywhere.
		"AWS_XRAY_DAEMON_ADDRESS":  "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":    "2000",
	}
	if at.tmp != "" {
		vars["TMPDIR"] = at.tmp
	}
	for _, kv := range aws {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	for k, v := range fn.Environment {
		vars[k] = v
	}
	vars["TZ"] = ":UTC"
	vars["_HANDLER"] = fn.Handler
	vars["LAMBDA_TASK_ROOT"] = TaskRoot(fn)
	vars["LAMBDA_RUNTIME_DIR"] = "/var/runtime"
	vars["AWS_LAMBDA_FUNCTION_NAME"] = fn.Name
	vars["AWS_LAMBDA_FUNCTION_VERSION"] = fn.VersionName()
	vars["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = strconv.Itoa(fn.Memory)
	vars["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand"
	if provisioned {
		vars["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
	}
	vars["AWS_LAMBDA_LOG_GROUP_NAME"] = fn.LogGroupName()
	vars["AWS_LAMBDA_LOG_STREAM_NAME"] = stream
	if managedRuntime(fn.Runtime) {
		vars["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + fn.Runtime
	}
	if fn.LogFormat == "JSON" { // nothing says "Text" in a recorded environment
		vars["AWS_LAMBDA_LOG_FORMAT"] = fn.LogFormat
		vars["AWS_LAMBDA_LOG_LEVEL"] = cmp.Or(fn.ApplicationLogLevel, "INFO")
	}
	if fn.Runtime == "java8.al2" { // recorded
		vars["AWS_ACCESS_KEY"], vars["AWS_SECRET_KEY"] = vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"]
	}
	if fn.Runtime != "js" && fn.Runtime != "image" {
		at.localPaths(fn, vars)
		at.searchPaths(fn, vars)
		ownPorts(fn, vars)
	}
	out := make([]string, 0, len(vars))
	for k, v := range vars {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// managedRuntime reports whether AWS has a runtime of that name with a language in it: the others, and our own, have no
// AWS_EXECUTION_ENV.
func managedRuntime(name string) bool {
	for _, language := range []string{"nodejs", "python", "java", "ruby", "dotnet"} {
		if strings.HasPrefix(name, language) {
			return true
		}
	}
	return false
}
