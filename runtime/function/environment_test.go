package function

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"devstack/runtime/config"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("PATH", "/bin")
	t.Setenv("HOME", "/home/me")
	t.Setenv("TMPDIR", "/tmp")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "real")
	t.Setenv("AWS_PROFILE", "real")
	dir := t.TempDir()
	source := filepath.Join(dir, "index.js")
	if err := os.WriteFile(source, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	fn := &config.Function{
		Name: "orders", Runtime: "nodejs22.x", Source: source, Handler: "index.handler", Memory: 512,
		Environment: map[string]string{"TABLE": "orders", "LANG": "de_DE.UTF-8", "AWS_LAMBDA_FUNCTION_NAME": "not this", "AWS_REGION": "eu-west-1"},
	}
	got := environment(fn, []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test"}, "stream", places{tmp: "/tmp/own"}, false)
	want := []string{
		"AWS_ACCESS_KEY_ID=test",
		"AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_FUNCTION_NAME=orders",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/orders",
		"AWS_LAMBDA_LOG_STREAM_NAME=stream",
		"AWS_REGION=eu-west-1",
		"AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000",
		"HOME=/home/me",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=" + dir,
		"LANG=de_DE.UTF-8",
		"NODE_PATH=" + dir,
		"PATH=/bin",
		"TABLE=orders",
		"TMPDIR=/tmp/own",
		"TZ=:UTC",
		"_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT=2000",
		"_HANDLER=index.handler",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	for runtime, set := range map[string]bool{"python3.12": true, "js": false, "go": false, "provided.al2023": false, "image": false} {
		if managedRuntime(runtime) != set {
			t.Errorf("%s: AWS_EXECUTION_ENV is set: %v", runtime, !set)
		}
	}
	if root := TaskRoot(&config.Function{Source: dir}); root != dir {
		t.Errorf("the task root of a folder is %s", root)
	}
}

func TestFilesLeavesOutWhatIsNoSource(t *testing.T) {
	dir := t.TempDir()
	for _, p := range []string{"a.py", "lib/b.py", "lib/__pycache__/b.pyc", "node_modules/x/index.js", ".git/HEAD", "a.py~"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, p), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{dir, dir + "/a.py", dir + "/lib", dir + "/lib/b.py"}
	if got := Files(dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
