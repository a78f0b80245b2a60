package js

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"devstack/runtime/function/bundle"
)

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
	for {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", bundle.PackageName(path))); err == nil {
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
