package node

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// source is what a function's source and handler name.
type source struct {
	root    string   // stands for /var/task
	handler string   // "src/app.handler"
	module  string   // its file part without folder: "app"
	exports []string // the path of the handler among what the module exports
	entry   string   // absolute path of the file, "" if there is none
	esm     bool     // it is an ES module
	compile bool     // it is TypeScript or JSX: Node runs what esbuild makes of it
}

// extensions of entry files. Lambda tries the first four, in this order; TypeScript it leaves to its callers.
//
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
var extensions = [...]string{"", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx"}

// sourceOf takes a function's handler apart. A handler that cannot be is an error of the runtime's, which a caller sees.
func sourceOf(fn *config.Function) (*source, error) {
	s := &source{root: function.TaskRoot(fn), handler: fn.Handler}
	info, err := os.Stat(fn.Source)
	if err != nil {
		return s, &function.BuildError{Text: fn.Source + " does not exist: it is the source of function " + fn.Name}
	}
	if s.handler == "" {
		s.handler = "index.handler"
		if !info.IsDir() {
			name := filepath.Base(fn.Source)
			s.handler = strings.TrimSuffix(name, filepath.Ext(name)) + ".handler"
		}
	}
	dir, file := filepath.Split(s.handler)
	module, exports, ok := strings.Cut(file, ".")
	if !info.IsDir() && !ok { // the source is the file: an export's name is enough
		name := filepath.Base(fn.Source)
		module, exports, ok = strings.TrimSuffix(name, filepath.Ext(name)), file, true
	}
	if !ok || module == "" || exports == "" {
		return s, initError("Runtime.MalformedHandlerName", "Bad handler")
	}
	if strings.Contains(s.handler, "..") {
		return s, initError("Runtime.MalformedHandlerName",
			"'"+s.handler+"' is not a valid handler name. Use absolute paths when specifying root directories in handler names.")
	}
	s.module, s.exports = module, strings.Split(exports, ".")
	s.find(fn.Source, info.IsDir(), filepath.Join(s.root, dir, module))
	return s, nil
}

// find finds the file: the source itself, if the handler means it, or what is next to it by the handler's name.
func (s *source) find(given string, folder bool, path string) {
	if !folder && path == strings.TrimSuffix(given, filepath.Ext(given)) {
		s.is(given)
		return
	}
	for _, ext := range extensions {
		if info, err := os.Stat(path + ext); err == nil && info.Mode().IsRegular() {
			s.is(path + ext)
			return
		}
	}
}

// is notes which file it is and of what kind.
//
// https://nodejs.org/api/packages.html#determining-module-system
func (s *source) is(entry string) {
	s.entry = entry
	switch filepath.Ext(entry) {
	case ".mjs":
		s.esm = true
	case ".mts":
		s.esm, s.compile = true, true
	case ".cts":
		s.compile = true
	case ".ts", ".tsx", ".jsx":
		s.esm, s.compile = packageType(filepath.Dir(entry)) == "module", true
	case ".js":
		s.esm = packageType(filepath.Dir(entry)) == "module"
	}
}

// packageType is the "type" of the nearest package.json.
func packageType(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err == nil {
			var p struct{ Type string }
			if json.Unmarshal(text, &p) != nil {
				return ""
			}
			return p.Type
		}
		if filepath.Base(dir) == "node_modules" || dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// initError is an error that the runtime would post before it has loaded anything.
func initError(typ, message string) *function.InitError {
	body, err := json.Marshal(struct {
		Type    string   `json:"errorType"`
		Message string   `json:"errorMessage"`
		Trace   []string `json:"trace"`
	}{typ, message, []string{typ + ": " + message}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return &function.InitError{Type: typ, Payload: body}
}
