package function

import (
	"os"
	"path/filepath"
	"testing"

	"devstack/runtime/config"
)

func TestTheWebAdaptersPortIsTheSandboxsOwn(t *testing.T) {
	fn := &config.Function{Layers: []string{t.TempDir()}}
	vars := func() map[string]string {
		vars := map[string]string{"PORT": "8080", "AWS_LWA_READINESS_CHECK_PORT": "8080", "AWS_LWA_PORT": "9000", "READINESS_CHECK_PORT": "none"}
		ownPorts(fn, vars)
		return vars
	}
	if got := vars(); got["PORT"] != "8080" || got["AWS_LWA_PORT"] != "9000" {
		t.Errorf("without the adapter the ports are %v", got)
	}
	path := filepath.Join(fn.Layers[0], "extensions", "lambda-adapter")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	got := vars()
	if got["PORT"] == "8080" || got["AWS_LWA_PORT"] == "9000" || got["PORT"] == got["AWS_LWA_PORT"] || got["PORT"] != got["AWS_LWA_READINESS_CHECK_PORT"] {
		t.Errorf("with the adapter the ports are %v, want two of the sandbox's own", got)
	}
	if got["READINESS_CHECK_PORT"] != "none" {
		t.Errorf("what is no port has become %q", got["READINESS_CHECK_PORT"])
	}
}
