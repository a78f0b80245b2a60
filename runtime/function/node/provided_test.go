package node_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"devstack/internal/clock"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/node"
)

// pack is a package of one file, in the folder node_modules of a layer or of an installation.
func pack(f files, place, name, value string) {
	f[place+"/"+name+"/package.json"] = fmt.Sprintf(`{"name":%q,"version":"1.0.0","main":"index.js"}`, name)
	f[place+"/"+name+"/index.js"] = "globalThis.loads = (globalThis.loads ?? 0) + 1;\nexports.value = '" + value + "';\nexports.loads = globalThis.loads;\n"
}

func TestPackagesOfLayersAreRequiredAndImported(t *testing.T) {
	const esm = "import layered from 'layered';\nimport { value } from 'numbered';\nexport const handler = async () => [layered.value, value, (await import('later')).value];\n"
	for _, tt := range []struct{ name, runtime, file, text string }{
		{"by require", "nodejs20.x", "index.js", "const { value } = require('layered'), numbered = require('numbered');\nexports.handler = async () => [value, numbered.value, require('later').value];\n"},
		{"by import", "nodejs20.x", "index.mjs", esm},
		{"by import of TypeScript", "nodejs20.x", "index.mts", esm},
		{"by require of TypeScript", "nodejs20.x", "index.ts", "import layered = require('layered');\nimport { value } from 'numbered';\nexport const handler = async () => [layered.value, value, (await import('later')).value];\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := files{tt.file: tt.text}
			p := project(t, tt.runtime, "", f)
			layer := functiontest.NewProject(t, newEngine(t), functiontest.Sample{Runtime: tt.runtime, Files: func(string) map[string]string {
				f := files{}
				pack(f, "nodejs/node_modules", "layered", "layer")
				pack(f, "nodejs/node20/node_modules", "numbered", "for 20")
				pack(f, "nodejs/node_modules", "numbered", "for all")
				pack(f, "nodejs/node_modules", "later", "later")
				return f
			}}, false).Dir
			p.Function.Layers = []string{layer}
			p.Put(t)
			p.Want(t, `{}`, `["layer","for 20","later"]`)
			p.Save(t, "", files{tt.file: tt.text + "// saved\n"})
			p.Want(t, `{}`, `["layer","for 20","later"]`)
		})
	}
}

func TestTheSDKNeedsNotBeInstalledInTheFunction(t *testing.T) {
	for file, text := range map[string]string{
		"index.js":  "const { value } = require('@aws-sdk/client-toy');\nexports.handler = async () => value;\n",
		"index.mjs": "import toy from '@aws-sdk/client-toy';\nexport const handler = async () => toy.value;\n",
		"index.ts":  "import { value } from '@aws-sdk/client-toy';\nexport const handler = async (): Promise<string> => value;\n",
	} {
		t.Run(file, func(t *testing.T) {
			needsNode(t)
			installed := functiontest.NewProject(t, newEngine(t), functiontest.Sample{Runtime: "nodejs20.x", Files: func(string) map[string]string {
				f := files{}
				pack(f, "node_modules", "@aws-sdk/client-toy", "sdk")
				return f
			}}, false).Dir
			engine := node.New(node.Options{Clock: clock.System(), SDK: []string{filepath.Join(installed, "node_modules")}})
			p := functiontest.NewProject(t, engine, functiontest.Sample{Runtime: "nodejs20.x", Files: func(string) map[string]string { return files{file: text} }}, false)
			p.Put(t)
			p.Want(t, `{}`, `"sdk"`)
			p.Save(t, "", files{file: text + "// saved\n"})
			p.Want(t, `{}`, `"sdk"`)
		})
	}
}

func TestAnSDKThatIsNowhereIsNamedWithItsCommand(t *testing.T) {
	for file, text := range map[string]string{
		"index.js":  "require('@aws-sdk/client-toy/deep');\nexports.handler = async () => 1;\n",
		"index.mjs": "import '@aws-sdk/client-toy';\nexport const handler = async () => 1;\n",
	} {
		needsNode(t)
		engine := node.New(node.Options{Clock: clock.System(), SDK: []string{}})
		p := functiontest.NewProject(t, engine, functiontest.Sample{Runtime: "nodejs20.x", Files: func(string) map[string]string { return files{file: text} }}, false)
		put(t, p)
		if _, _, message := p.Fails(t, `{}`); !strings.Contains(message, "aws-sdk @aws-sdk/client-toy`") {
			t.Errorf("%s: %s", file, message)
		}
	}
}

func TestTheFunctionsFolderIsAPlaceForModules(t *testing.T) {
	p := project(t, "nodejs20.x", "src/app.handler", files{
		"src/app.js": "const { value } = require('lib/value');\nexports.handler = async () => value;\n", "lib/value.js": "exports.value = 1;\n",
	})
	p.Put(t)
	p.Want(t, `{}`, `1`)
	p.Save(t, "", files{"lib/value.js": "exports.value = 2;\n"})
	p.Want(t, `{}`, `2`)
}
