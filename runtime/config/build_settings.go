package config

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// setting is an environment variable's value and where it is written.
type setting struct {
	text string
	at   hcl.Range
}

// environment returns what a block says of its environment: that of its files, and over it that of environment.
func (l *loader) environment(f *fields) map[string]setting {
	env := map[string]setting{}
	for _, path := range f.texts("env_file") {
		maps.Copy(env, l.envFile(f, path))
	}
	for name, text := range f.textMap("environment") {
		env[name] = setting{text, f.rangeOfItem("environment", name)}
	}
	return env
}

// envFile reads a file of environment variables. The stack depends on it, whether it is there or not.
func (l *loader) envFile(f *fields, path string) map[string]setting {
	abs, name := absolute(l.dir, path), filepath.ToSlash(path)
	content, err := l.readFile(abs)
	switch {
	case os.IsNotExist(err):
		l.add(f.rangeOf("env_file"), "Missing file", "there is no %q%s", path, nearFile(l.dir, path))
		return nil
	case err != nil:
		l.add(f.rangeOf("env_file"), "Unreadable file", "%s: %v", path, err)
		return nil
	}
	l.source(name, content)
	lines := strings.Split(string(content), "\n")
	at := func(line int) hcl.Range {
		text := strings.TrimRight(lines[min(line, len(lines))-1], "\r")
		return hcl.Range{Filename: name, Start: hcl.Pos{Line: line, Column: 1}, End: hcl.Pos{Line: line, Column: 1 + len([]rune(text))}}
	}
	vars, line, err := parseDotenv(string(content))
	if err != nil {
		l.add(at(line), "Invalid environment file", "%v", err)
		return nil
	}
	env := map[string]setting{}
	for _, v := range vars {
		env[v.name] = setting{v.value, at(v.line)}
	}
	return env
}

// maxFunctionLayers is how many layers a function has at most.
const maxFunctionLayers = 5

var logGroupName = lazy(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// functionSettings sets what Lambda's configuration has beside code, and reports what Lambda would not take.
func (l *loader) functionSettings(f *fields, fn *Function) {
	l.functionLayers(f, fn)
	if f.given("ephemeral_storage") {
		fn.EphemeralStorage = f.integer("ephemeral_storage")
	}
	if fn.LogFormat = f.text("log_format"); fn.LogFormat == "Text" {
		fn.LogFormat = ""
	}
	for _, name := range []string{"application_log_level", "system_log_level"} {
		if f.given(name) && fn.LogFormat != "JSON" && !f.broken("log_format") {
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with log_format = \"JSON\"", name)
		}
	}
	if fn.Tracing = f.text("tracing"); fn.Tracing == "PassThrough" {
		fn.Tracing = ""
	}
	fn.ApplicationLogLevel, fn.SystemLogLevel = f.text("application_log_level"), f.text("system_log_level")
	fn.LogGroup = f.text("log_group")
	if f.values["log_group"] != nil && (!logGroupName().MatchString(fn.LogGroup) || strings.HasPrefix(fn.LogGroup, "aws/")) {
		l.add(f.rangeOf("log_group"), "Invalid log_group", "%q is not the name of a log group: 1 to 512 letters, digits and . - _ / #, not beginning with aws/", fn.LogGroup)
	}
	if fn.Concurrency != nil && fn.Provisioned > *fn.Concurrency {
		l.add(f.rangeOf("provisioned_concurrency"), "Invalid provisioned_concurrency", "%d environments cannot be kept where %d are reserved: raise concurrency", fn.Provisioned, *fn.Concurrency)
	}
	l.refuseTarget(f, "dead_letter", "sns", "sqs")
}

// functionLayers sets the layers. An archive is known by its content: another one is another function.
func (l *loader) functionLayers(f *fields, fn *Function) {
	layers := f.texts("layers")
	if len(layers) > maxFunctionLayers {
		l.add(f.rangeOf("layers"), "Invalid layers", "a function has at most %d layers, not %d", maxFunctionLayers, len(layers))
	}
	for _, path := range layers {
		abs := absolute(l.dir, path)
		info, err := os.Stat(abs)
		switch {
		case strings.HasPrefix(path, "arn:"):
			l.add(f.rangeOf("layers"), "Invalid layers", "%q is not a folder or a zip archive: download the layer, and name what you have downloaded", path)
			continue
		case path == "":
			l.add(f.rangeOf("layers"), "Invalid layers", "the path of a layer is empty")
			continue
		case err != nil:
			l.files = append(l.files, abs)
			l.add(f.rangeOf("layers"), "Missing file", "there is no %q%s", path, nearFile(l.dir, path))
			continue
		case info.IsDir():
		case strings.HasSuffix(path, ".zip"):
			l.files = append(l.files, abs)
			sum, err := sumOf(abs)
			if err != nil {
				l.add(f.rangeOf("layers"), "Unreadable file", "%s: %v", path, err)
				continue
			}
			if fn.LayerSums == nil {
				fn.LayerSums = map[string]string{}
			}
			fn.LayerSums[abs] = sum
		default:
			l.add(f.rangeOf("layers"), "Invalid layers", "%q is neither a folder nor a zip archive", path)
			continue
		}
		fn.Layers = append(fn.Layers, abs)
	}
}

// FunctionURLID is the part of a function's URL that stands for the function. Lambda's is made from the function's ARN by a rule of its
// own, and stays for as long as the function has that name; so does this.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
func FunctionURLID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
}

// functionAddress is the URL of a function of the stack.
func (l *loader) functionAddress(arn string) string {
	return "http://" + FunctionURLID(arn) + ".lambda-url." + l.stack.Region + ".localhost:" + strconv.Itoa(l.stack.Port) + "/"
}

func (l *loader) functionURL(f *fields, address string) *FunctionURL {
	u := &FunctionURL{Auth: f.text("auth"), Stream: f.boolean("stream"), URL: address}
	for _, b := range f.blocks {
		u.CORS = l.cors(b)
	}
	return u
}

func (l *loader) async(f *fields, self string) *Async {
	a := &Async{MaxRetries: f.optionalInteger("max_retries"), MaxAge: f.optionalInteger("max_age"), OnSuccess: f.text("on_success"), OnFailure: f.text("on_failure")}
	for _, name := range []string{"on_success", "on_failure"} {
		switch arn := f.text(name); {
		case f.values[name] == nil:
		case arn == self:
			l.add(f.rangeOf(name), "Invalid "+name, "a function cannot be told of its own events") // AWS refuses it
		case serviceOf(arn) != "lambda":
			l.refuseTarget(f, name, "lambda", "sns", "sqs", "events", "s3")
		}
	}
	if len(f.values) == 0 {
		l.add(f.block.DefRange(), "Missing argument", "async needs one of max_retries, max_age, on_success and on_failure")
	}
	return a
}

// refuseTarget reports an ARN that goes to none of the services, or to one that is not there yet.
func (l *loader) refuseTarget(f *fields, name string, services ...string) {
	if f.values[name] == nil {
		return
	}
	arn := f.text(name)
	if service := serviceOf(arn); slices.Contains(services, service) {
		l.add(f.rangeOf(name), "Invalid "+name, "%s is of the service %s, which this version of devstack does not emulate", arn, service)
		return
	}
	l.add(f.rangeOf(name), "Invalid "+name, "%q is not an ARN of %s", arn, strings.Join(services, ", "))
}

// serviceOf is the service in an ARN, "" if it is none.
func serviceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[2]
}
