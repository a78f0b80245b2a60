package js

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/evanw/esbuild/pkg/api"
)

//go:embed builtin/*.js builtin/vendor/*.js
var sources embed.FS

// preludeName is prelude.js in traces, which leave it out.
const preludeName = "devstack:prelude"

// modules are the built-in modules and their files below builtin/. Those of Node are imported with or without "node:".
// The AWS clients are in services.
var modules = map[string]string{
	"assert":                  "assert.js",
	"assert/strict":           "assert-strict.js",
	"async_hooks":             "async_hooks.js",
	"buffer":                  "buffer.js",
	"console":                 "console.js",
	"constants":               "constants.js",
	"crypto":                  "crypto.js",
	"diagnostics_channel":     "diagnostics_channel.js",
	"events":                  "events.js",
	"fs":                      "fs.js",
	"fs/promises":             "fs-promises.js",
	"http":                    "http.js",
	"https":                   "https.js",
	"module":                  "module.js",
	"os":                      "os.js",
	"path":                    "path.js",
	"path/posix":              "path.js",
	"perf_hooks":              "perf_hooks.js",
	"process":                 "process.js",
	"querystring":             "querystring.js",
	"readline":                "readline.js",
	"readline/promises":       "readline.js",
	"stream":                  "stream.js",
	"stream/consumers":        "stream-consumers.js",
	"stream/promises":         "stream-promises.js",
	"stream/web":              "stream-web.js",
	"string_decoder":          "string_decoder.js",
	"sys":                     "util.js",
	"timers":                  "timers.js",
	"timers/promises":         "timers-promises.js",
	"tty":                     "tty.js",
	"url":                     "url.js",
	"util":                    "util.js",
	"util/types":              "util-types.js",
	"worker_threads":          "worker_threads.js",
	"zlib":                    "zlib.js",
	"redis":                   "redis.js",
	"ioredis":                 "ioredis.js",
	"@aws-sdk/lib-dynamodb":   "lib-dynamodb.js",
	"@aws-sdk/util-dynamodb":  "util-dynamodb.js",
	"devstack:absent":         "absent.js",
	"devstack:aws":            "aws.js",
	"devstack:awslambda":      "awslambda.js",
	"devstack:fetch":          "fetch.js",
	"devstack:text":           "text.js",
	"devstack:callsite":       "callsite.js",
	"devstack:clone":          "clone.js",
	"devstack:intl":           "intl.js",
	"devstack:keys":           "keys.js",
	"devstack:subtle":         "subtle.js",
	"devstack:redis-commands": "redis-commands.js",
	"devstack:streams":        "vendor/readable-stream.js",
	"devstack:web-streams":    "vendor/web-streams-polyfill.js",
	"process/":                "process.js", // as readable-stream names them
	"string_decoder/":         "string_decoder.js",
}

// absent are Node's modules that this runtime does not have.
var absent = []string{
	"child_process", "cluster", "dgram", "dns", "dns/promises", "domain", "http2", "inspector", "inspector/promises", "net", "path/win32",
	"punycode", "repl", "sea", "sqlite", "test", "test/reporters", "tls", "trace_events", "v8", "vm", "wasi",
}

// public returns the name of a built-in module that an import path means, "" for none.
func public(path string) string {
	name := strings.TrimPrefix(path, "node:")
	if _, ok := services[name]; ok {
		return name
	}
	if _, ok := modules[name]; ok && !strings.HasPrefix(name, "devstack:") && !strings.HasSuffix(name, "/") {
		return name
	}
	return ""
}

// namespace is where esbuild finds the built-in modules.
const namespace = "devstack"

// entryNamespace is where the module is that a bundle with await at its top starts with.
const entryNamespace = "devstack-entry"

// handOver is the function that it gives the entry's exports to.
const handOver = "__devstack_exports"

// looseNamespace has the built-in modules as packages see them: of what these import they may never use a part, so that a name
// that is not there is undefined and no mistake.
const looseNamespace = "devstack-loose"

// missingNamespace has what packages would load if they came to it, and what is not there: often they work without.
const missingNamespace = "devstack-missing"

// builtins is the esbuild plugin that finds the built-in modules: always, even where node_modules has a package of the
// same name, because that one would need what only Node has.
func (e *Engine) builtins(awaits bool) api.Plugin {
	return api.Plugin{Name: "builtins", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return e.resolve(b, a, awaits), nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: entryNamespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := "import * as entry from " + quote(a.Path) + ";\n" + handOver + "(entry);\n"
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS, ResolveDir: filepath.Dir(a.Path)}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: missingNamespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := "throw Object.assign(new Error(" + quote(a.PluginData.(string)) + "), { code: 'MODULE_NOT_FOUND' });\n"
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: looseNamespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := "module.exports = require(" + quote(a.Path) + ");\n"
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
		// The module that esbuild sees has the real one's names, so that a name that is not there is a build error.
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: namespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			names, err := e.exports(a.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := reexport(a.Path, names, awaits)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// reexport is the source of a module that has a built-in module's names. In an ES module an external import would stay one,
// which goja cannot read.
func reexport(name string, names []string, awaits bool) string {
	_, isClient := services[name]
	if !awaits {
		text := "export {" + strings.Join(names, ", ") + "} from " + quote(name) + ";\n"
		if !isClient {
			text += "export {default} from " + quote(name+defaultSuffix) + ";\n"
		}
		return text
	}
	var b strings.Builder
	b.WriteString("const whole_ = /* @__PURE__ */ require(" + quote(name) + ");\n")
	for _, n := range names {
		fmt.Fprintf(&b, "const %s_ = /* @__PURE__ */ (() => whole_.%s)();\nexport {%s_ as %s};\n", n, n, n, n)
	}
	if !isClient {
		b.WriteString("export default whole_;\n")
	}
	return b.String()
}

// resolve finds an import that is ours to provide or to refuse.
func (e *Engine) resolve(b api.PluginBuild, a api.OnResolveArgs, awaits bool) api.OnResolveResult {
	switch {
	case a.Kind == api.ResolveEntryPoint && awaits:
		return api.OnResolveResult{Path: a.Path, Namespace: entryNamespace}
	case a.Namespace == namespace || a.Namespace == looseNamespace:
		return api.OnResolveResult{Path: a.Path, External: true, SideEffects: api.SideEffectsFalse}
	case a.PluginData == asked:
		return api.OnResolveResult{}
	}
	if name := public(a.Path); name != "" && e.has(name) {
		if _, isClient := services[name]; !isClient && inPackage(a.Importer) {
			return api.OnResolveResult{Path: name, Namespace: looseNamespace, SideEffects: api.SideEffectsFalse}
		}
		return api.OnResolveResult{Path: name, Namespace: namespace, SideEffects: api.SideEffectsFalse}
	}
	why := e.refusal(a.Path)
	later := inPackage(a.Importer) && (a.Kind == api.ResolveJSRequireCall || a.Kind == api.ResolveJSDynamicImport)
	if why == "" {
		if later && isNowhere(a.Path, a.ResolveDir) {
			return missing(a.Path, "Cannot find module '"+a.Path+"'")
		}
		return api.OnResolveResult{}
	}
	if strings.HasPrefix(a.Path, "@aws-sdk/") || slices.Contains(absent, a.Path) { // node_modules may have it
		found := b.Resolve(a.Path, api.ResolveOptions{Importer: a.Importer, ResolveDir: a.ResolveDir, Kind: a.Kind, PluginData: asked})
		if len(found.Errors) == 0 && !found.External {
			return api.OnResolveResult{Path: found.Path, Namespace: found.Namespace, Suffix: found.Suffix, PluginData: found.PluginData}
		}
	}
	if name := strings.TrimPrefix(a.Path, "node:"); inPackage(a.Importer) && slices.Contains(absent, name) {
		return api.OnResolveResult{Path: name, Namespace: looseNamespace, SideEffects: api.SideEffectsFalse}
	}
	if later {
		return missing(a.Path, why)
	}
	return api.OnResolveResult{Errors: []api.Message{{Text: why}}}
}

// missing is a module that throws once it is loaded.
func missing(path, why string) api.OnResolveResult {
	return api.OnResolveResult{Path: path, Namespace: missingNamespace, PluginData: why}
}

// isNowhere reports whether an import names a package that is in no folder where packages are looked for. esbuild would find that out
// too, after more work, and call it a mistake.
func isNowhere(path, dir string) bool {
	if path == "" || strings.ContainsAny(path[:1], "./#") || strings.Contains(path, ":") || filepath.IsAbs(path) {
		return false
	}
	name, rest, _ := strings.Cut(path, "/")
	if scoped, _, _ := strings.Cut(rest, "/"); name[0] == '@' {
		name = filepath.Join(name, scoped)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err == nil {
			return false
		}
		above := filepath.Dir(dir)
		if above == dir {
			return true
		}
		dir = above
	}
}

// asked marks a question of resolve's own to esbuild.
const asked = "asked by the js runtime"

// defaultSuffix is what makes of a module's name one that exports the module as its default and nothing else: esbuild
// copies all names of a module whose default is imported.
const defaultSuffix = "#default"

// has reports whether a built-in module can be used: an AWS client needs its service.
func (e *Engine) has(name string) bool {
	if name == "@aws-sdk/lib-dynamodb" {
		name = "@aws-sdk/client-dynamodb"
	}
	svc, ok := services[name]
	return !ok || e.opts.Schema != nil && len(e.opts.Schema.Operations(svc.service)) > 0
}

// refusal is why an import that we do not provide cannot be had, "" for one that esbuild is to find.
func (e *Engine) refusal(path string) string {
	name := strings.TrimPrefix(path, "node:")
	const way = `; use runtime = "nodejs22.x" for functions that need it`
	switch {
	case slices.Contains(absent, name) || strings.HasPrefix(path, "node:"):
		return fmt.Sprintf("%q: the js runtime does not provide Node's module %s%s", path, name, way)
	case strings.HasPrefix(path, "@aws-sdk/client-"):
		return fmt.Sprintf("%q: the js runtime has no client for this service%s", path, way)
	case strings.HasPrefix(path, "@aws-sdk/") || path == "aws-sdk" || strings.HasPrefix(path, "aws-sdk/"):
		return fmt.Sprintf("%q: the js runtime does not provide this part of the AWS SDK%s", path, way)
	}
	return ""
}

// exports are the names that a built-in module exports, found by loading it once.
func (e *Engine) exports(name string) ([]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if names, ok := e.names[name]; ok {
		return names, nil
	}
	s := newSandbox(e, &noFunction, nil, func(string, string) {})
	defer s.Close()
	if err := s.setUp(); err != nil { // on this goroutine: the sandbox's own has nothing to do
		return nil, err
	}
	v, err := s.load1(name)
	if err != nil {
		return nil, fmt.Errorf("built-in module %s: %w", name, err)
	}
	obj := v.ToObject(s.rt)
	names := slices.DeleteFunc(obj.Keys(), func(k string) bool { return k == "default" })
	slices.Sort(names)
	if e.names == nil {
		e.names = map[string][]string{}
	}
	e.names[name] = names
	return names, nil
}

// programs are the built-in modules compiled so far, by file.
var programs struct {
	sync.Mutex
	m map[string]*goja.Program
}

// program compiles a file below builtin/, once in the process. Its value is a function of exports, require, module, host.
func program(file, name string) (*goja.Program, error) {
	programs.Lock()
	defer programs.Unlock()
	if p := programs.m[file]; p != nil {
		return p, nil
	}
	src, err := sources.ReadFile("builtin/" + file)
	if err != nil {
		return nil, err
	}
	if src, err = lowered(src); err != nil {
		return nil, err
	}
	p, err := goja.Compile(name, `(function (exports, require, module, host) { "use strict"; `+string(src)+"\n})", false)
	if err != nil {
		return nil, err
	}
	if programs.m == nil {
		programs.m = map[string]*goja.Program{}
	}
	programs.m[file] = p
	return p, nil
}

// lowered rewrites what goja lacks of the language in a file that uses it.
func lowered(src []byte) ([]byte, error) {
	if !bytes.Contains(src, []byte("for await")) && !bytes.Contains(src, []byte("async *")) {
		return src, nil
	}
	out := api.Transform(string(src), api.TransformOptions{Target: api.ESNext, Supported: map[string]bool{"async-generator": false, "for-await": false}})
	if len(out.Errors) > 0 {
		return nil, errors.New(out.Errors[0].Text)
	}
	return out.Code, nil
}

// require is the bundle's and the built-in modules' require: it knows built-in modules only.
func (s *sandbox) require(call goja.FunctionCall) goja.Value {
	v, err := s.load1(call.Argument(0).String())
	if err != nil {
		panic(s.hostError(err))
	}
	return v
}

// load1 returns a built-in module's exports, running it the first time.
func (s *sandbox) load1(name string) (goja.Value, error) {
	name = strings.TrimPrefix(name, "node:")
	if v := s.modules[name]; v != nil {
		return v, nil
	}
	var v goja.Value
	var err error
	if whole, ok := strings.CutSuffix(name, defaultSuffix); ok {
		v, err = s.defaultModule(whole)
	} else if svc, ok := services[name]; ok {
		v, err = s.clientModule(name, svc)
	} else if file, ok := modules[name]; ok {
		v, err = s.runBuiltin(file, name)
	} else if slices.Contains(absent, name) {
		v, err = s.absentModule(name)
	} else {
		return nil, sentence("Cannot find module '" + name + "'")
	}
	if err != nil {
		return nil, err
	}
	s.modules[name] = v
	return v, nil
}

// absentModule stands for a module that a package imports and this runtime lacks: it fails, by its name, once it is used.
func (s *sandbox) absentModule(name string) (goja.Value, error) {
	m, err := s.load1("devstack:absent")
	if err != nil {
		return nil, err
	}
	of, _ := goja.AssertFunction(m.ToObject(s.rt).Get("of"))
	return of(goja.Undefined(), s.rt.ToValue(name))
}

func (s *sandbox) runBuiltin(file, name string) (goja.Value, error) {
	if !strings.HasPrefix(name, "devstack:") {
		name = "devstack:" + name
	}
	p, err := program(file, name)
	if err != nil {
		return nil, err
	}
	v, err := s.rt.RunProgram(p)
	if err != nil {
		return nil, err
	}
	run, _ := goja.AssertFunction(v)
	exports, module := s.rt.NewObject(), s.rt.NewObject()
	if err := module.Set("exports", exports); err != nil {
		return nil, err
	}
	if _, err := run(goja.Undefined(), exports, s.host.Get("require"), module, s.host); err != nil {
		return nil, err
	}
	return module.Get("exports"), nil
}

// defaultModule is {default: module}, marked as an ES module.
func (s *sandbox) defaultModule(name string) (goja.Value, error) {
	v, err := s.load1(name)
	if err != nil {
		return nil, err
	}
	obj := s.rt.NewObject()
	if err := obj.Set("__esModule", true); err != nil {
		return nil, err
	}
	return obj, obj.Set("default", v)
}

// lazyGlobals are globals that load a built-in module when a script first asks for one of them.
var lazyGlobals = map[string][]string{
	"buffer":         {"Buffer", "atob", "btoa", "Blob"},
	"url":            {"URL", "URLSearchParams"},
	"devstack:text":  {"TextEncoder", "TextDecoder"},
	"devstack:fetch": {"fetch", "Headers", "Request", "Response", "AbortController", "AbortSignal", "Event", "EventTarget", "CustomEvent", "DOMException", "FormData", "File"},
	"devstack:clone": {"structuredClone"},
	"worker_threads": {"MessageChannel", "MessagePort"},
	"timers":         {"setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"},
	"process":        {"process"},
	"stream/web": {"ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader", "ReadableStreamDefaultController", "ReadableByteStreamController",
		"WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController", "TransformStream", "TransformStreamDefaultController",
		"ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextDecoderStream", "TextEncoderStream", "CompressionStream", "DecompressionStream"},
}

// setUp makes the world: clock, limits, host functions, globals, prelude.
func (s *sandbox) setUp() error {
	s.rt.SetTimeSource(s.engine.opts.Clock.Now)
	s.rt.SetMaxCallStackSize(maxCallDepth)
	s.rt.SetPromiseRejectionTracker(s.trackRejection)
	s.host = s.rt.NewObject()
	for name, f := range s.hostFunctions() {
		if err := s.host.Set(name, f); err != nil {
			return err
		}
	}
	for module, names := range lazyGlobals {
		for _, name := range names {
			if err := s.lazyGlobal(name, module); err != nil {
				return err
			}
		}
	}
	v, err := s.runBuiltin("prelude.js", preludeName)
	if err != nil {
		return err
	}
	s.invoker, _ = goja.AssertFunction(v.ToObject(s.rt).Get("invoke"))
	s.setTrace, _ = goja.AssertFunction(v.ToObject(s.rt).Get("setTrace"))
	s.errorLogger, _ = goja.AssertFunction(v.ToObject(s.rt).Get("logError"))
	return nil
}

func (s *sandbox) lazyGlobal(name, module string) error {
	global := s.rt.GlobalObject()
	set := func(v goja.Value) {
		if err := global.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			panic(s.hostError(err))
		}
	}
	getter := func(goja.FunctionCall) goja.Value {
		m, err := s.load1(module)
		if err != nil {
			panic(s.hostError(err))
		}
		v := m.ToObject(s.rt).Get(name)
		if name == "process" {
			v = m
		}
		set(v)
		return v
	}
	setter := func(call goja.FunctionCall) goja.Value {
		set(call.Argument(0))
		return goja.Undefined()
	}
	return global.DefineAccessorProperty(name, s.rt.ToValue(getter), s.rt.ToValue(setter), goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// hostFunctions are what the built-in modules call Go by.
func (s *sandbox) hostFunctions() map[string]any {
	fs := map[string]any{
		"require":       s.require,
		"setTimer":      s.setTimer,
		"clearTimer":    s.clearTimer,
		"holdTimer":     s.holdTimer,
		"log":           s.hostLog,
		"write":         s.hostWrite,
		"env":           s.hostEnv,
		"exit":          s.hostExit,
		"now":           s.hostNow,
		"remaining":     s.hostRemaining,
		"info":          s.hostInfo,
		"parseJSON":     s.hostParseJSON,
		"mistakeInJSON": s.hostMistakeInJSON,
		"stack":         s.hostStack,
		"property":      s.hostProperty,
		"builtins":      s.hostBuiltins,
		"logging":       s.hostLogging,
		"zone":          s.hostZone,
		"group":         s.hostGroup,
		"requestId":     s.hostRequestID,

		"beginResponse": s.hostBeginResponse,
		"respond":       s.hostRespond,
	}
	maps.Copy(fs, s.bytesFunctions())
	maps.Copy(fs, s.awsFunctions())
	maps.Copy(fs, s.netFunctions())
	maps.Copy(fs, s.contextFunctions())
	maps.Copy(fs, s.zlibFunctions())
	return fs
}

// hostGroup implements host.group(name): functions that few sandboxes need.
func (s *sandbox) hostGroup(call goja.FunctionCall) goja.Value {
	group := s.keyFunctions
	if call.Argument(0).String() == "fs" {
		group = s.fileFunctions
	}
	obj := s.rt.NewObject()
	for name, f := range group() {
		_ = obj.Set(name, f) // cannot fail: a plain object
	}
	return obj
}
