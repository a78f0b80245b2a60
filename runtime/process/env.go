package process

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// passed are the variables that a child gets from the environment of devstack itself: what programs need to run at all and
// what toolchains need to find their caches, mirrors and certificates. Not among them are AWS_*, nor any cloud's
// credentials: nothing real reaches an application that runs here.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "TERM", "COLORTERM", "NO_COLOR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
	"GOPATH", "GOROOT", "GOCACHE", "GOMODCACHE", "GOTMPDIR", "GOENV", "GOFLAGS", "GOTOOLCHAIN", "GOWORK",
	"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB",
	"JAVA_HOME", "PYENV_ROOT", "VIRTUAL_ENV", "NVM_DIR", "VOLTA_HOME", "CARGO_HOME", "RUSTUP_HOME",
}

// passedPrefixes are families of such variables.
var passedPrefixes = []string{"LC_", "XDG_", "CGO_"}

// BaseEnv returns the part of devstack's own environment that children get, as name and value.
func BaseEnv() map[string]string {
	env := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if isPassed(name) {
			env[name] = value
		}
	}
	noProxy(env)
	return env
}

func isPassed(name string) bool {
	return slices.Contains(passed, name) ||
		slices.ContainsFunc(passedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// noProxy keeps a machine's HTTP proxy out of the way to us, which several AWS SDKs would ask for 127.0.0.1 as well.
func noProxy(env map[string]string) {
	for _, names := range [][2]string{{"HTTP_PROXY", "NO_PROXY"}, {"http_proxy", "no_proxy"}} {
		if env[names[0]] == "" {
			continue
		}
		env[names[1]] = strings.TrimPrefix(env[names[1]]+",127.0.0.1,localhost", ",")
	}
}

// List turns environments into the form that a process takes, the later ones over the earlier ones, sorted by name.
func List(envs ...map[string]string) []string {
	all := map[string]string{}
	for _, env := range envs {
		maps.Copy(all, env)
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}
