package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/function"
	"devstack/runtime/function/bundle"
)

// provided is what a function finds beside its own packages: those of layers, in NODE_PATH, and the AWS SDK, which Lambda's runtimes
// bring along.
//
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html
type provided struct {
	env      []string // with NODE_PATH
	packages []pkg
	imported bool     // some by import, which does not look into NODE_PATH by itself
	lacking  []string // packages of the SDK that are nowhere
}

// provide finds packages that are not the function's own.
func (e *Engine) provide(node string, b *build, env []string) provided {
	p := provided{env: env}
	if len(b.missing) == 0 {
		return p
	}
	i := slices.IndexFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "NODE_PATH=") })
	value := ""
	if i >= 0 {
		value = strings.TrimPrefix(env[i], "NODE_PATH=")
	}
	places := filepath.SplitList(value)
	for _, m := range b.missing {
		dir := among(places, m.Name)
		if dir == "" && ofSDK(m.Name) {
			if dir = among(e.sdk(node), m.Name); dir != "" {
				places = append(places, filepath.Clean(strings.TrimSuffix(dir, bundle.PackageName(m.Name))))
			} else {
				p.lacking = append(p.lacking, bundle.PackageName(m.Name))
			}
		}
		if dir != "" {
			p.packages = append(p.packages, pkg{m.Name, m.From, m.ESM, dir})
			p.imported = p.imported || m.ESM
		}
	}
	if joined := strings.Join(places, string(filepath.ListSeparator)); joined != value {
		p.env = append(slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, "NODE_PATH=") }), "NODE_PATH="+joined)
	}
	return p
}

// among finds a package's folder in node_modules folders.
func among(places []string, path string) string {
	for _, place := range places {
		if filepath.Base(place) != "node_modules" {
			continue // the function's own folder, which is in NODE_PATH too
		}
		if info, err := os.Stat(filepath.Join(place, bundle.PackageName(path))); err == nil && info.IsDir() {
			return filepath.Join(place, bundle.PackageName(path))
		}
	}
	return ""
}

// ofSDK reports whether Lambda's runtimes have a package.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html#nodejs-sdk-included
func ofSDK(path string) bool {
	return strings.HasPrefix(path, "@aws-sdk/") || strings.HasPrefix(path, "@smithy/")
}

// sdk lists the folders in which the AWS SDK may be.
func (e *Engine) sdk(node string) []string {
	if e.opts.SDK != nil {
		return e.opts.SDK
	}
	places := []string{filepath.Join(ownSDK(), "node_modules")}
	if real, err := filepath.EvalSymlinks(node); err == nil { // where npm of the same installation puts what is global
		places = append(places, filepath.Join(filepath.Dir(filepath.Dir(real)), "lib", "node_modules"))
	}
	return append(places, "/usr/local/lib/node_modules", "/opt/homebrew/lib/node_modules")
}

// ownSDK is the folder for an SDK that is no function's.
func ownSDK() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "devstack", "aws-sdk")
}

// explain adds to a function's failure to load what to do about an SDK that AWS would have had.
func (p provided) explain(err error, log function.LogFunc) error {
	var init *function.InitError
	if len(p.lacking) == 0 || !errors.As(err, &init) {
		return err
	}
	var body struct {
		Type    string   `json:"errorType"`
		Message string   `json:"errorMessage"`
		Trace   []string `json:"trace"`
	}
	if json.Unmarshal(init.Payload, &body) != nil || !slices.ContainsFunc(p.lacking, func(name string) bool { return strings.Contains(body.Message, "'"+name) }) {
		return err
	}
	names := strings.Join(slices.Compact(slices.Sorted(slices.Values(p.lacking))), " ")
	hint := fmt.Sprintf("Lambda's Node.js runtimes bring the AWS SDK along, and this machine has it nowhere: install it once for all functions by "+
		"`npm install --prefix %s %s`, or beside the function by `npm install --save-dev %s`", ownSDK(), names, names)
	log("", hint)
	body.Message += "\n" + hint
	text, bad := json.Marshal(body)
	if bad != nil {
		return err
	}
	return &function.InitError{Type: init.Type, Payload: text}
}
