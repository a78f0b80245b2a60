package main

import "testing"

func TestEveryRuntimeHasAnEngine(t *testing.T) {
	e := newEngines(&host{})
	for runtime, want := range map[string]string{
		"js": "js", "nodejs24.x": "nodejs", "python3.14": "python", "go": "go", "provided.al2": "go", "wasm": "wasm", "image": "image",
		"dotnet6": "base", "dotnet10": "base",
	} {
		if family, _ := e.family(runtime); family != want {
			t.Errorf("%s is run by %q, want %q", runtime, family, want)
		}
	}
	// The machine's or, where it has none, AWS's base image.
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	for _, runtime := range []string{"java8.al2", "java25", "ruby3.4"} {
		family, _ := e.family(runtime)
		if why := whyImage(runtime); (family == "base") != (why != "") || family == "" {
			t.Errorf("%s is run by %q, because %q", runtime, family, why)
		}
	}
	if family, _ := e.family("cobol"); family != "" {
		t.Errorf("cobol is run by %q", family)
	}
}
