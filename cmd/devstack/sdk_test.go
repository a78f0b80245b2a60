package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const prepare = "`make test` installs it"

// TestSDKs runs the official SDKs' suites against the shop, each as its users run it: only the environment that
// `devstack exec` gives tells it where AWS is. The suites are in testdata/sdk, and Go's beside this file.
func TestSDKs(t *testing.T) {
	r := runStack(t, shop(t))
	t.Run("python", func(t *testing.T) {
		python := pythonOf(t)
		out := r.suite(t, "../../testdata/sdk/python", python, "-W", "error::ResourceWarning", "-m", "unittest", "discover")
		passed(t, "python", out, regexp.MustCompile(`(?m)^Ran (\d+) tests`))
	})
	t.Run("javascript", func(t *testing.T) {
		need(t, "node", prepare)
		suites, err := filepath.Glob("../../testdata/sdk/js/*.test.mjs")
		if err != nil || len(suites) == 0 {
			t.Fatal("there are no suites", err)
		}
		needModules(t, "../../testdata/sdk/js")
		for i := range suites {
			suites[i] = filepath.Base(suites[i])
		}
		out := r.suite(t, "../../testdata/sdk/js", "node", append([]string{"--no-warnings", "--test", "--test-reporter=tap"}, suites...)...)
		passed(t, "javascript", out, regexp.MustCompile(`(?m)^# pass (\d+)`))
	})
	t.Run("go", func(t *testing.T) {
		var env map[string]string
		if err := json.Unmarshal([]byte(r.devstack("env", "--json")), &env); err != nil {
			t.Fatal(err)
		}
		for k, v := range env {
			t.Setenv(k, v)
		}
		fmt.Printf("go: %d passed\n", runGoSuite(t))
	})
	t.Run("shards by the clock", func(t *testing.T) { // last, for it moves the clock
		r.suite(t, "../../testdata/sdk/python", pythonOf(t), "-m", "unittest", "shards")
		r.suite(t, "../../testdata/sdk/js", "node", "--no-warnings", "--test", "shards.mjs")
	})
	t.Run("the AWS CLI", func(t *testing.T) {
		need(t, "aws", "pip install awscli")
		testCLI(t, r)
	})
}

// suite runs a suite's command in its folder under `devstack exec`, and returns what it printed.
func (r *running) suite(t *testing.T, dir, command string, args ...string) string {
	t.Helper()
	devstack, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), devstack, append([]string{"-C", r.dir, "exec", "--", command}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "DEVSTACK="+devstack, "STACK="+r.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// passed prints how many cases a suite's output says that it has passed.
func passed(t *testing.T, language, out string, count *regexp.Regexp) {
	t.Helper()
	m := count.FindStringSubmatch(out)
	if m == nil || m[1] == "0" {
		t.Fatalf("no case was run:\n%s", out)
	}
	fmt.Printf("%s: %s passed\n", language, m[1])
}

// pythonOf returns a Python with boto3 and a Redis client: the one that `make test` made, or the caller's own.
func pythonOf(t *testing.T) string {
	t.Helper()
	made, err := filepath.Abs("../../testdata/.cache/python/bin/python3")
	if err != nil {
		t.Fatal(err)
	}
	for _, python := range []string{made, "python3"} {
		if exec.Command(python, "-c", "import boto3, redis").Run() == nil {
			return python
		}
	}
	missing(t, "there is no python3 with boto3 and redis; "+prepare)
	return ""
}

// needModules ends a test that cannot run for want of npm's packages.
func needModules(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		missing(t, "`npm ci` has not been run in "+dir+"; "+prepare)
	}
}

// testCLI lists and describes what the stack has with the AWS CLI.
func testCLI(t *testing.T, r *running) {
	for _, tt := range []struct {
		name string
		args string
		want []string
	}{
		{"tables", "dynamodb list-tables", []string{`"orders"`, `"totals"`}},
		{"a query in the CLI's own language", "dynamodb describe-table --table-name orders --query Table.KeySchema[0].AttributeName --output text", []string{"customer"}},
		{"functions", "lambda list-functions --query Functions[].FunctionName --output text", []string{"create_order", "tally"}},
		{"the caller", "sts get-caller-identity", []string{`"Account": "000000000000"`}},
		{"state machines", "stepfunctions list-state-machines", []string{":stateMachine:checkout"}},
		{"APIs", "apigatewayv2 get-apis --query Items[].Name --output text", []string{"shop"}},
		{"caches", "elasticache describe-cache-clusters", []string{`"CacheClusterId": "prices"`}},
		{"log groups", "logs describe-log-groups --log-group-name-prefix /nothing", []string{`"logGroups": []`}},
		{"roles", "iam list-roles --path-prefix /nothing/", []string{`"Roles": []`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := r.devstack(append([]string{"exec", "--", "aws"}, strings.Fields(tt.args)...)...)
			for _, s := range tt.want {
				if !strings.Contains(out, s) {
					t.Errorf("aws %s prints no %s:\n%s", tt.args, s, out)
				}
			}
		})
	}
	t.Run("a function of an archive", func(t *testing.T) { testCLIFunction(t, r) })
	t.Run("an error is told with its code", func(t *testing.T) {
		out, code := r.try("exec", "--", "aws", "dynamodb", "describe-table", "--table-name", "cli-none")
		if code == 0 || !strings.Contains(out, "(ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found: Table: cli-none not found") {
			t.Errorf("exit code %d: %s", code, out)
		}
	})
}

// testCLIFunction creates, waits for, invokes, publishes and deletes a function with the AWS CLI.
func testCLIFunction(t *testing.T, r *running) {
	dir := t.TempDir()
	archive, answer := filepath.Join(dir, "code.zip"), filepath.Join(dir, "answer.json")
	if err := os.WriteFile(archive, goArchive(t, goCode("by CLI")), 0o644); err != nil {
		t.Fatal(err)
	}
	aws := func(args ...string) string {
		return r.devstack(append([]string{"exec", "--", "aws", "lambda"}, args...)...)
	}
	aws("create-function", "--function-name", "cli-made", "--runtime", "js", "--handler", "index.handler", "--role", "arn:aws:iam::000000000000:role/r", "--zip-file", "fileb://"+archive)
	aws("wait", "function-active-v2", "--function-name", "cli-made")
	aws("publish-version", "--function-name", "cli-made")
	for _, name := range []string{"cli-made", "cli-made:1"} {
		aws("invoke", "--function-name", name, "--payload", "{}", answer)
		if b, err := os.ReadFile(answer); err != nil || !strings.Contains(string(b), `"word":"by CLI"`) {
			t.Errorf("%s answers %s (%v)", name, b, err)
		}
	}
	aws("delete-function", "--function-name", "cli-made")
}

// runGoSuite runs the cases in Go and returns how many have passed.
func runGoSuite(t *testing.T) int {
	n := 0
	for _, service := range slices.Sorted(maps.Keys(goSuite)) {
		for name, test := range goSuite[service] {
			if t.Run(service+"/"+name, test) {
				n++
			}
		}
	}
	return n
}
