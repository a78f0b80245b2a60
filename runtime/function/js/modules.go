package js

import (
	"bytes"
	"embed"
	"errors"
	"maps"
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
