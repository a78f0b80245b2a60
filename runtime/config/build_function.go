package config

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// runtimes are those that functions can run on: our own, and by AWS's names those of
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html.
func runtimes() []string {
	return []string{
		"js", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x",
		"python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14",
		"java8.al2", "java11", "java17", "java21", "java25",
		"ruby3.2", "ruby3.3", "ruby3.4",
		"dotnet6", "dotnet8", "dotnet10",
		"go", "provided.al2023", "provided.al2", "wasm", "image",
	}
}

func runtimesDoc() string {
	return "`js` (JavaScript or TypeScript inside devstack, no Node needed), `nodejs18.x` to `nodejs24.x`, `python3.9` to `python3.14`, `java8.al2`, `java11` to `java25`, `ruby3.2` to `ruby3.4`, `dotnet6` to `dotnet10`, `go` (built by devstack), `provided.al2023`, `provided.al2`, `wasm` (a WASI module, run inside devstack) or `image`."
}

func (l *loader) function(i *instance) *Function {
	f := i.fields
	fn := &Function{
		Block: i.base(), Name: l.checkName(i, functionNaming), Runtime: f.text("runtime"), Handler: f.text("handler"),
		Image: f.text("image"), Description: f.text("description"), Environment: l.functionEnvironment(f), Tags: f.textMap("tags"),
		Timeout: f.integer("timeout"), Memory: f.integer("memory"), Concurrency: f.optionalInteger("concurrency"),
		ARN: i.exportedText("arn"), Provisioned: f.integer("provisioned_concurrency"),
	}
	l.functionSettings(f, fn)
	if len([]rune(fn.Description)) > 256 {
		l.add(f.rangeOf("description"), "Invalid description", "a description has at most 256 characters")
	}
	if !f.given("runtime") && (f.given("image") || f.given("build")) {
		fn.Runtime = "image"
	}
	switch known := slices.Contains(runtimes(), fn.Runtime); {
	case fn.Runtime == "image":
		l.functionImage(f, fn)
	case !f.given("runtime"):
		l.add(f.block.DefRange(), "Missing argument", "function needs runtime: %s", plain(runtimesDoc()))
		l.functionSource(f, fn)
	case !known && f.values["runtime"] != nil:
		l.add(f.rangeOf("runtime"), "Unknown runtime", "there is no runtime %q%s", fn.Runtime, didYouMean(fn.Runtime, runtimes()))
		l.functionSource(f, fn)
	default:
		l.functionSource(f, fn)
	}
	for _, b := range f.blocks {
		switch b.schema.name {
		case "url":
			fn.URL = l.functionURL(b, i.exportedText("url"))
			continue
		case "async":
			fn.Async = l.async(b, fn.ARN)
			continue
		}
		e, ok := l.eventSource(b)
		if !ok {
			continue
		}
		if e.Source != "" && slices.ContainsFunc(fn.Events, func(other EventSource) bool { return other.Source == e.Source }) {
			l.add(b.rangeOf("source"), "Duplicate source", "the function has this source already")
		}
		fn.Events = append(fn.Events, e)
	}
	return fn
}

// functionImage checks a function that is a container image.
func (l *loader) functionImage(f *fields, fn *Function) {
	for _, name := range []string{"source", "handler"} {
		if f.given(name) {
			l.add(f.rangeOf(name), "Invalid "+name, "a function that is an image has no %s", name)
		}
	}
	switch {
	case f.given("image") && f.given("build"):
		l.add(f.rangeOf("build"), "Invalid build", "give image or build, not both")
	case !f.given("image") && !f.given("build"):
		l.add(f.block.DefRange(), "Missing argument", "a function of runtime \"image\" needs image or build")
	case f.given("image") && f.values["image"] != nil && fn.Image == "":
		l.add(f.rangeOf("image"), "Invalid image", "image is empty")
	}
	fn.Build = l.existing(f, "build", true)
	fn.EntryPoint, fn.Command, fn.WorkingDirectory = f.texts("entry_point"), f.texts("command"), f.text("working_directory")
}

// functionSource checks where a function's code is.
func (l *loader) functionSource(f *fields, fn *Function) {
	for _, name := range []string{"image", "build", "entry_point", "command", "working_directory"} {
		if f.given(name) {
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with runtime = \"image\"", name)
		}
	}
	if !f.given("source") {
		l.add(f.block.DefRange(), "Missing argument", "function needs source: the file or folder of its code")
		return
	}
	if fn.Source = l.existing(f, "source", false); fn.Source == "" || !f.given("handler") {
		return
	}
	if fn.Environment["AWS_LAMBDA_EXEC_WRAPPER"] == "" { // what a script starts need not read the handler as the runtime does
		l.checkHandler(f, fn)
	}
}

// existing returns the absolute path that an argument names, "" if nothing is there, which is then reported, or the
// argument is not given.
func (l *loader) existing(f *fields, name string, folder bool) string {
	path, ok := f.values[name].(string)
	if !ok {
		return ""
	}
	abs := absolute(l.dir, path)
	info, err := os.Stat(abs)
	switch {
	case path == "":
		l.add(f.rangeOf(name), "Invalid "+name, "%s is empty", name)
	case err != nil:
		l.files = append(l.files, abs)
		l.add(f.rangeOf(name), "Missing file", "there is no %q%s", path, nearFile(l.dir, path))
	case folder && !info.IsDir():
		l.add(f.rangeOf(name), "Invalid "+name, "%q is not a folder", path)
	default:
		return abs
	}
	return ""
}

// handlerExtensions returns what a module of a runtime may be called.
func handlerExtensions(runtime string) []string {
	switch {
	case runtime == "js", strings.HasPrefix(runtime, "nodejs"):
		return []string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"}
	case strings.HasPrefix(runtime, "python"):
		return []string{".py"}
	}
	return nil
}

// checkHandler reports a handler whose module is not in the source folder. A source that is a file is the module.
func (l *loader) checkHandler(f *fields, fn *Function) {
	extensions := handlerExtensions(fn.Runtime)
	dot := strings.LastIndexByte(fn.Handler, '.')
	info, err := os.Stat(fn.Source)
	if err != nil || !info.IsDir() || extensions == nil || dot < 0 {
		return
	}
	module := fn.Handler[:dot]
	candidates := []string{module}
	if fn.Runtime[0] == 'p' {
		candidates = append(candidates, strings.ReplaceAll(module, ".", "/")) // package.module.function
	}
	for _, c := range candidates {
		for _, ext := range extensions {
			if info, err := os.Stat(filepath.Join(fn.Source, filepath.FromSlash(c)+ext)); err == nil && !info.IsDir() {
				return
			}
		}
	}
	missing := filepath.Join(fn.Source, filepath.FromSlash(module)+extensions[0])
	l.files = append(l.files, missing)
	if rel, err := filepath.Rel(l.dir, missing); err == nil {
		missing = rel
	}
	l.add(f.rangeOf("handler"), "Missing file", "there is no module %q in %q%s", module, f.text("source"), nearFile(l.dir, missing))
}

// environmentName is the rule of the published model; reservedEnvironment is from
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
var environmentName = lazy(`^[a-zA-Z][a-zA-Z0-9_]+$`)

func reservedEnvironment() []string {
	return []string{
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
		"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}
}

// maxEnvironment is how many bytes a function's names and values may have together.
const maxEnvironment = 4096

// functionEnvironment returns a function's environment and reports what Lambda would not take.
func (l *loader) functionEnvironment(f *fields) map[string]string {
	env := l.environment(f)
	size := 0
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		v := env[name]
		values[name] = v.text
		size += len(name) + len(v.text)
		switch {
		case slices.Contains(reservedEnvironment(), name):
			l.add(v.at, "Invalid environment", "%s is set by Lambda itself", name)
		case !environmentName().MatchString(name):
			l.add(v.at, "Invalid environment", "%q is not a name that Lambda takes: it must be two or more letters, digits and _, beginning with a letter", name)
		case strings.ContainsRune(v.text, 0):
			l.add(v.at, "Invalid environment", "the value of %s has a zero byte", name)
		}
	}
	if size > maxEnvironment {
		at := f.rangeOf("environment")
		if !f.given("environment") {
			at = f.rangeOf("env_file")
		}
		l.add(at, "Invalid environment", "names and values have %d bytes together; Lambda takes %d", size, maxEnvironment)
	}
	if len(values) == 0 {
		return f.textMap("environment")
	}
	return values
}

var streamARN = lazy(`^arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+/stream/.+$`)

func (l *loader) eventSource(f *fields) (EventSource, bool) {
	e := EventSource{
		Type: f.label, Source: f.text("source"), BatchSize: f.integer("batch_size"),
		StartingPosition: f.text("starting_position"), Filters: f.texts("filters"), Range: f.block.DefRange(),
		BatchWindow: f.integer("batch_window"), MaxRetries: f.integer("max_retries"), MaxAge: f.integer("max_age"), Bisect: f.boolean("bisect"),
		ItemFailures: f.boolean("report_item_failures"), Parallelization: f.integer("parallelization"), TumblingWindow: f.integer("tumbling_window"),
		Disabled: !f.boolean("enabled"),
	}
	if e.MaxAge > -1 && e.MaxAge < 60 {
		l.add(f.rangeOf("max_age"), "Invalid max_age", "max_age is %d; it must be -1 or 60 to 604800", e.MaxAge)
	}
	l.refuseTarget(f, "on_failure", "s3", "sns", "sqs")
	if f.label != "stream" {
		l.add(f.labelRange(), "Unknown event source", "there is no event source %q; this version has \"stream\"%s", f.label, didYouMean(f.label, []string{"stream"}))
		return e, false
	}
	if f.values["source"] != nil && !streamARN().MatchString(e.Source) {
		l.add(f.rangeOf("source"), "Invalid source", "%q is not the ARN of a stream; write table.NAME.stream_arn", e.Source)
	}
	if len(e.Filters) > 10 { // https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
		l.add(f.rangeOf("filters"), "Invalid filters", "there may be 10 filters, not %d", len(e.Filters))
	}
	for _, filter := range e.Filters {
		if !json.Valid([]byte(filter)) || !strings.HasPrefix(strings.TrimSpace(filter), "{") {
			l.add(f.rangeOf("filters"), "Invalid filters", "%q is not a JSON object", filter)
		}
	}
	return e, true
}

func (l *loader) service(i *instance) *Service {
	f := i.fields
	s := &Service{
		Block: i.base(), Name: l.checkName(i, serviceNaming), Image: f.text("image"), Command: f.texts("command"),
		Port: f.integer("port"), Health: f.text("health"), Replicas: f.integer("replicas"), Environment: f.textMap("environment"),
		URL: i.exportedText("url"), ProxyPort: i.exportedPort(),
	}
	container := f.given("image") || f.given("build")
	switch {
	case f.given("image") && f.given("build"):
		l.add(f.rangeOf("build"), "Invalid build", "give one of image, build and command")
	case !container && !f.given("command"):
		l.add(f.block.DefRange(), "Missing argument", "service needs one of image, build and command")
	case f.given("image") && f.values["image"] != nil && s.Image == "":
		l.add(f.rangeOf("image"), "Invalid image", "image is empty")
	}
	if f.values["command"] != nil && (len(s.Command) == 0 || s.Command[0] == "") {
		l.add(f.rangeOf("command"), "Invalid command", "command is empty: write [\"PROGRAM\", \"ARGUMENT\"]")
	}
	s.Build = l.existing(f, "build", true)
	l.serviceProcess(f, s, container)
	if s.Health != "" && !strings.HasPrefix(s.Health, "/") {
		l.add(f.rangeOf("health"), "Invalid health", "health is a path that begins with /, such as \"/healthz\"")
	}
	env := l.environment(f)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if v := env[name]; name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(v.text, 0) {
			l.add(v.at, "Invalid environment", "%q cannot be the name of an environment variable", name)
		} else {
			if s.Environment == nil {
				s.Environment = map[string]string{}
			}
			s.Environment[name] = v.text
		}
	}
	l.serviceWatch(f, s)
	return s
}

// serviceProcess checks what differs between a process and a container.
func (l *loader) serviceProcess(f *fields, s *Service, container bool) {
	switch {
	case container && f.given("dir"):
		l.add(f.rangeOf("dir"), "Invalid dir", "dir goes with a process; a container's working directory is its image's")
	case container && !f.given("port"):
		l.add(f.block.DefRange(), "Missing argument", "a service in a container needs port: the one on which its program listens")
	case !container && s.Port != 0 && s.Replicas > 1:
		l.add(f.rangeOf("replicas"), "Invalid replicas", "%d processes cannot listen on one port: leave out port, and each is told a free one in PORT", s.Replicas)
	}
	if container {
		return
	}
	if s.Dir = l.dir; f.given("dir") {
		s.Dir = l.existing(f, "dir", true)
	}
}

// serviceWatch sets what restarts the service: what it says, or its folder.
func (l *loader) serviceWatch(f *fields, s *Service) {
	if !f.given("watch") {
		switch {
		case s.Build != "":
			s.Watch = []string{s.Build}
		case s.Dir != "":
			s.Watch = []string{s.Dir}
		}
		return
	}
	for _, path := range f.texts("watch") {
		abs := absolute(l.dir, path)
		if _, err := os.Stat(abs); err != nil {
			l.add(f.rangeOf("watch"), "Missing file", "there is no %q%s", path, nearFile(l.dir, path))
		}
		s.Watch = append(s.Watch, abs)
	}
}
