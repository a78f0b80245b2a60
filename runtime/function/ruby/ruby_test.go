package ruby_test

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

	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/ruby"
)

func newEngine(t *testing.T) function.Engine {
	needsRuby(t)
	return ruby.New(ruby.Options{})
}

func needsRuby(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ruby"); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip("ruby is not in PATH")
}

const body = `
def lambda_handler(event:, context:)
  case event["do"]
  when "version" then VERSION_OF_IT
  when "echo" then event["value"]
  when "throw" then raise "boom"
  when "sleep" then sleep 60
  when "exit" then exit!(1)
  when "env" then ENV[event["name"]] || ""
  when "log" then puts event["line"]
  end
end
`

func TestRuby(t *testing.T) {
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "ruby3.3",
		Files: func(version string) map[string]string {
			return map[string]string{
				"lambda_function.rb": "require_relative 'lib/version'\n" + body,
				"lib/version.rb":     fmt.Sprintf("VERSION_OF_IT = %q\n", version),
			}
		},
		Broken:    map[string]string{"lib/version.rb": "VERSION_OF_IT = (\n"},
		BadInit:   map[string]string{"lib/version.rb": "raise 'bad init'\n"},
		NoBuild:   true,
		ErrorType: "Function<RuntimeError>",
		Races:     20,
	})
}

type files = map[string]string

// project is a function of these files.
func project(t *testing.T, handler string, f files) *functiontest.Project {
	t.Helper()
	return functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "ruby3.3", Handler: handler, Files: func(string) map[string]string { return maps.Clone(f) },
	}, false)
}

func TestWhatAHandlerMayReturn(t *testing.T) {
	p := project(t, "", files{"lambda_function.rb": `require "stringio"
def lambda_handler(event:, context:) = eval(event)
`})
	p.Put(t)
	for event, want := range map[string]string{
		`nil`: `null`, `{ a: [1, nil, 1.5] }`: `{"a":[1,null,1.5]}`, `"grüße"`: `"grüße"`, `StringIO.new('{"raw": 1}')`: `{"raw": 1}`, `Time.at(0).utc`: `"1970-01-01 00:00:00 UTC"`,
	} {
		text, _ := json.Marshal(event)
		if out := p.Invoke(t, string(text)); string(out.Payload) != want || out.FunctionError != "" {
			t.Errorf("%s: answered %s, want %s", event, out.Payload, want)
		}
	}
}

// Types, texts and the form of the bodies are those of AWS's client:
// https://github.com/aws/aws-lambda-ruby-runtime-interface-client/blob/main/lib/aws_lambda_ric/lambda_errors.rb
func TestHowAHandlerFails(t *testing.T) {
	const missing = "cannot load such file -- nowhere"
	for _, tt := range []struct{ name, handler, source, typ, message string }{
		{"an exception", "", "def lambda_handler(event:, context:)\n  raise ArgumentError, 'no'\nend\n", "Function<ArgumentError>", "no"},
		{"one of its own class", "", "class Mine < StandardError; end\ndef lambda_handler(event:, context:) = raise(Mine, 'm')\n", "Function<Mine>", "m"},
		{"a method that is not there", "", "def lambda_handler(event:, context:) = nil.nothing\n", "Function<NoMethodError>", "undefined method `nothing' for nil"},
		{"exit", "", "def lambda_handler(event:, context:) = exit(3)\n", "Function<SystemExit>", "exit"},
		{"no such handler", "lambda_function.other", "def lambda_handler(event:, context:) = 1\n", "Function<NoMethodError>", "undefined method `other'"},
		{"a file that is not there", "nowhere.handler", "", "Init<LoadError>", missing},
		{"a library that is not there", "", "require 'nowhere'\n", "Init<LoadError>", missing},
		{"an exception while it loads", "", "raise 'early'\n", "Init<RuntimeError>", "early"},
		{"a handler without a method", "lambda_function", "", "Init<ArgumentError>", `Invalid handler ["lambda_function"], must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, tt.handler, files{"lambda_function.rb": tt.source})
			_ = p.Manager.Put(t.Context(), p.Function) // the outcome of an event tells
			for range 2 {
				// How a message quotes a method is Ruby's, and another one from 3.4 on.
				_, typ, message := p.Fails(t, `{}`)
				if plain := strings.ReplaceAll(message, "'", "`"); typ != tt.typ || !strings.HasPrefix(plain, strings.ReplaceAll(tt.message, "'", "`")) {
					t.Fatalf("failed with %s: %s, want %s: %s", typ, message, tt.typ, tt.message)
				}
			}
		})
	}
}

func TestErrorBody(t *testing.T) {
	p := project(t, "", files{"lambda_function.rb": "def helper = raise('boom')\ndef lambda_handler(event:, context:)\n  helper\nend\n"})
	p.Put(t)
	out := p.Invoke(t, `{}`)
	at := regexp.QuoteMeta(filepath.Join(p.Dir, "lambda_function.rb"))
	want := regexp.MustCompile("^" + `\{"errorMessage":"boom","errorType":"Function<RuntimeError>","stackTrace":\["` + at + `:1:in [^"]*helper'","` + at + `:3:in [^"]*lambda_handler'"\]\}$`)
	if !want.Match(out.Payload) {
		t.Errorf("the body is %s, want %s", out.Payload, want)
	}
	if lines := p.Lines(out.RequestID); len(lines) < 5 || lines[1] != "Error raised from handler method" {
		t.Errorf("the log is %q", lines)
	}
}

func TestContextAndLogger(t *testing.T) {
	p := project(t, "handlers.Orders::Create.process", files{"handlers.rb": `require "logger"
module Orders
  class Create
    def self.process(event:, context:)
      Logger.new($stdout).info("hello")
      left = context.get_remaining_time_in_millis
      [context.aws_request_id, context.function_name, context.memory_limit_in_mb, context.invoked_function_arn, left > 1000 && left <= 20_000,
       ENV["AWS_EXECUTION_ENV"], Dir.pwd == ENV["LAMBDA_TASK_ROOT"]]
    end
  end
end
`})
	p.Put(t)
	out := p.Invoke(t, `{}`)
	var got []any
	if err := json.Unmarshal(out.Payload, &got); err != nil {
		t.Fatalf("answered %s", out.Payload)
	}
	want := []any{out.RequestID, "sample", "128", "arn:aws:lambda:us-east-1:000000000000:function:sample", true, "AWS_Lambda_ruby3.3", true}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	line := regexp.MustCompile(`^I, \[\d{4}-\d\d-\d\dT[\d:.]+ #\d+\]  INFO ` + out.RequestID + ` -- : hello$`)
	if lines := p.Lines(out.RequestID); !slices.ContainsFunc(lines, line.MatchString) {
		t.Errorf("the log is %q", lines)
	}
}

func TestLayersGemsAndWrapper(t *testing.T) {
	abi, err := exec.Command("ruby", "-e", `print RbConfig::CONFIG["ruby_version"]`).Output()
	if err != nil {
		needsRuby(t)
		t.Fatal(err)
	}
	spec := func(name string) string {
		return fmt.Sprintf("Gem::Specification.new { |s| s.name = %q; s.version = '1.0'; s.summary = s.author = 'x'; s.files = ['lib/%s.rb'] }\n", name, name)
	}
	vendor := "vendor/bundle/ruby/" + string(abi)
	p := project(t, "", files{
		"lambda_function.rb":                    "require 'shared'\nrequire 'ofgem'\nrequire 'oflayer'\ndef lambda_handler(event:, context:) = [SHARED, OFGEM, OFLAYER, ENV['WRAPPED']]\n",
		"wrapper":                               "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n",
		vendor + "/gems/ofgem-1.0/lib/ofgem.rb": "OFGEM = 1\n", vendor + "/specifications/ofgem-1.0.gemspec": spec("ofgem"),
	})
	layer := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(layer, "ruby", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("lib/shared.rb", "SHARED = 'first'\n")
	write("gems/"+string(abi)+"/gems/oflayer-1.0/lib/oflayer.rb", "OFLAYER = 2\n")
	write("gems/"+string(abi)+"/specifications/oflayer-1.0.gemspec", spec("oflayer"))
	p.Function.Layers = []string{layer}
	p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
	p.Put(t)
	p.Want(t, `{}`, `["first",1,2,"yes"]`)
	write("lib/shared.rb", "SHARED = 'another'\n")
	p.Want(t, `{}`, `["another",1,2,"yes"]`)
}
