package js

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A package may ask for what is nowhere, as long as it does not come to it; the function itself may not.
func TestWhatAPackageAsksForAndDoesNotNeed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("node_modules/lib/package.json", `{"main":"lib.js"}`)
	write("node_modules/lib/lib.js", `exports.tell = async () => {
	const told = [];
	const say = (e) => told.push(e.code + " " + e.message);
	const one = (name) => { try { return require("absent-one") } catch (e) { say(e) } };
	one();
	await import("@absent/two/sub").catch(say);
	await import("@aws-sdk/client-nothing").catch((e) => told.push(e.code));
	return told;
};
`)
	w := newWorld(t, Options{}, map[string]string{})
	w.fn.Source = filepath.Join(dir, "index.js")
	w.engine.opts.Dir = dir
	write("index.js", `const { tell } = require("lib"); exports.handler = () => tell();`)
	s, err := w.start()
	if err != nil {
		t.Fatal(err)
	}
	const want = `["MODULE_NOT_FOUND Cannot find module 'absent-one'","MODULE_NOT_FOUND Cannot find module '@absent/two/sub'","MODULE_NOT_FOUND"]`
	if got, err := call(t, s, `{}`); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	write("index.js", `const one = require("absent-one"); exports.handler = () => one;`)
	if _, err := w.start(); err == nil || !strings.Contains(err.Error(), "absent-one") {
		t.Errorf("a function that needs what is nowhere: %v", err)
	}
}
