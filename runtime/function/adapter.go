package function

import (
	"net"
	"os"
	"path/filepath"
	"strconv"

	"devstack/runtime/config"
)

// adapterPorts name the port of a web application that the AWS Lambda Web Adapter, an extension, turns events into requests to.
//
// https://github.com/aws/aws-lambda-web-adapter (README, Configurations)
var adapterPorts = [...]string{"AWS_LWA_PORT", "PORT", "AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"}

// ownPorts gives the application behind that adapter a port of its own in each sandbox. On Lambda the same number does for all, because
// each sandbox has a network of its own; here a new sandbox would ask the application of the one before it.
func ownPorts(fn *config.Function, vars map[string]string) {
	if !adapted(fn) {
		return
	}
	own := map[string]string{}
	for _, name := range adapterPorts {
		given := vars[name]
		if _, err := strconv.ParseUint(given, 10, 16); err != nil {
			continue
		}
		if own[given] == "" {
			own[given] = freePort()
		}
		vars[name] = own[given]
	}
}

// adapted reports whether a function's layers bring the adapter.
func adapted(fn *config.Function) bool {
	for _, layer := range fn.Layers {
		if _, err := os.Stat(filepath.Join(layer, "extensions", "lambda-adapter")); err == nil {
			return true
		}
	}
	return false
}

// freePort is a port of the loopback interface that nobody listens on, and nobody was given lately.
func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0" // the application says what is wrong
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
