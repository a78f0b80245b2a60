package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestGenerate generates testdata's small service, which has one of each thing, and compares it with the golden file.
func TestGenerate(t *testing.T) {
	out := filepath.Join(t.TempDir(), "api_gen.go")
	err := generate(config{
		service: "thing", model: "model", models: "testdata", botocore: filepath.Join("testdata", "botocore"), operations: filepath.Join("testdata", "operations.txt"),
		overrides: filepath.Join("testdata", "thing.overrides"), out: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "api_gen.txt")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", golden, got)
	}
}

func TestOverridesThatDoNotApplyAreErrors(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"Name", "want: Shape[.member] trait [JSON]"},
		{"Nothing smithy.api#sensitive", "the model has no shape Nothing"},
		{"Thing.Nothing smithy.api#required", "Thing has no member Nothing"},
		{"Thing.Kind -smithy.api#required", "Thing.Kind has no trait smithy.api#required"},
		{"Name smithy.api#length {", "{ is not JSON"},
		{"Thing.New + Nothing", "the model has no shape Nothing"},
		{"Thing.Kind + String", "Thing has a member Kind already"},
		{"Thing + structure", "the model has a shape Thing already"},
		{"New + list", "a list is made of 1 shapes, not 0"},
		{"New + nonsense", "no kind of shape is called nonsense"},
		{"Thing.Kind = Nothing", "the model has no shape Nothing"},
		{"New + operation Thing", "want: Operation + operation Input Output [Error ...]"},
	} {
		m, err := readModel(filepath.Join("testdata", "model.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := applyOverride(m, tt.line); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.line, err, tt.want)
		}
	}
}

func TestUnknownOperationsAreErrors(t *testing.T) {
	list := filepath.Join(t.TempDir(), "operations.txt")
	if err := os.WriteFile(list, []byte("PutThing\nPutThings\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := generate(config{service: "thing", model: "model", models: "testdata", botocore: filepath.Join("testdata", "botocore"), operations: list, out: filepath.Join(t.TempDir(), "x.go")})
	if err == nil || !strings.Contains(err.Error(), "the model has no operation PutThings") {
		t.Errorf("got %v", err)
	}
}

func TestPatternsForFindingBecomeWhole(t *testing.T) {
	for find, whole := range map[string]string{
		`^[a-z]+$`: `[a-z]+`, `^[^:]`: `[^:].*`, `\S`: `.*\S.*`, `^arn:`: `arn:.*`, `a|b`: `.*(a|b).*`, `^a\$`: `a\$.*`,
	} {
		if got := wholePattern(find); got != whole {
			t.Errorf("%s: got %s, want %s", find, got, whole)
		}
	}
}

func TestTypesOfThePackageAreForJSONOnly(t *testing.T) {
	dir := t.TempDir()
	overrides, list := filepath.Join(dir, "thing.overrides"), filepath.Join(dir, "operations.txt")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(overrides, `Weights devstack#goType "Scale"`)
	write(list, "PutThing\n")
	run := func(model string) (string, error) {
		out := filepath.Join(dir, "x.go")
		err := generate(config{service: "thing", model: model, models: dir, botocore: filepath.Join("testdata", "botocore"),
			operations: list, overrides: overrides, out: out})
		b, _ := os.ReadFile(out)
		return string(b), err
	}
	b, err := os.ReadFile(filepath.Join("testdata", "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	json := strings.Replace(string(b), `"aws.protocols#restXml": {"noErrorWrapping": true}`, `"aws.protocols#awsJson1_0": {}`, 1)
	for name, model := range map[string]string{"xml": string(b), "json": json} {
		write(filepath.Join(dir, name+".json"), model)
	}
	if _, err := run("xml"); err == nil || !strings.Contains(err.Error(), "needs a service that speaks only JSON") {
		t.Errorf("got %v", err)
	}
	if got, err := run("json"); err != nil || !strings.Contains(got, "Weights Scale") {
		t.Errorf("%v\n%s", err, got)
	}
}
