package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFaultsOfADefinitionAreShownInItsFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stack.hcl": "stack \"s\" {}\nstate_machine \"m\" { definition = file(\"m.json\") }\n",
		"m.json":    "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {}\n  }\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(definition, machineType string) []DefinitionFault {
		if machineType != "STANDARD" {
			t.Errorf("the type is %q", machineType)
		}
		return []DefinitionFault{{"it does nothing", "/States/A"}, {"it is too short", ""}}
	}
	_, err := Load(dir, Options{CheckDefinition: check})
	var ds Diagnostics
	if !errors.As(err, &ds) || len(ds) != 2 {
		t.Fatalf("got %v, want two diagnostics", err)
	}
	if d := ds[0]; d.File != "m.json" || d.Line != 4 || d.Column != 5 || d.Detail != "it does nothing" {
		t.Errorf("the fault of a state: %s", d)
	}
	if d := ds[1]; d.File != "stack.hcl" || d.Line != 2 {
		t.Errorf("the fault of the whole: %s", d)
	}
}
