package node_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"devstack/internal/clock"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/node"
)

func newEngine(t *testing.T) function.Engine {
	needsNode(t)
	return node.New(node.Options{Clock: clock.System()})
}

func needsNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip("node is not in PATH")
}

// body is the suite's handler, for any kind of module.
const body = `
  switch (event.do) {
    case 'version': if (!number) throw new Error('half a file'); return number;
    case 'echo': return event.value;
    case 'throw': throw new Error('boom');
    case 'sleep': return new Promise((resolve) => setTimeout(resolve, 60000));
    case 'exit': process.exit(1);
    case 'env': return process.env[event.name] ?? '';
    case 'log': console.log(event.line); return null;
  }
`

func TestCommonJS(t *testing.T) {
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "nodejs20.x",
		Files: func(version string) map[string]string {
			return map[string]string{
				"index.js":       "const { number } = require('./lib/version');\nexports.handler = async (event) => {" + body + "};\n",
				"lib/version.js": fmt.Sprintf("exports.number = %q;\n", version),
			}
		},
		Broken:    map[string]string{"lib/version.js": "exports.number = ;\n"},
		BadInit:   map[string]string{"lib/version.js": "throw new Error('bad init');\n"},
		ErrorType: "Error",
		Races:     40,
	})
}

func TestTypeScript(t *testing.T) {
	for _, tt := range []struct {
		name, pkg string
		races     int
	}{
		{"as CommonJS", `{}`, 20},
		{"as ES modules", `{"type":"module"}`, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			functiontest.Run(t, newEngine, functiontest.Sample{
				Runtime: "nodejs20.x",
				Handler: "src/app.handler",
				Files: func(version string) map[string]string {
					return map[string]string{
						"package.json":       tt.pkg,
						"src/app.ts":         "import { number } from './lib/version';\nexport const handler = async (event: any): Promise<unknown> => {" + body + "};\n",
						"src/lib/version.ts": fmt.Sprintf("export const number: string = %q;\n", version),
					}
				},
				Broken:    map[string]string{"src/lib/version.ts": "export const number: string = ;\n"},
				BadInit:   map[string]string{"src/lib/version.ts": "export const number = '0';\nthrow new Error('bad init');\n"},
				ErrorType: "Error",
				Races:     tt.races,
				Parallel:  8,
			})
		})
	}
}

func TestESModules(t *testing.T) {
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "nodejs20.x",
		Files: func(version string) map[string]string {
			return map[string]string{
				"index.mjs":       "import { number } from './lib/version.mjs';\nexport const handler = async (event) => {" + body + "};\n",
				"lib/version.mjs": fmt.Sprintf("export const number = %q;\n", version),
			}
		},
		Broken:    map[string]string{"lib/version.mjs": "export const number = ;\n"},
		BadInit:   map[string]string{"lib/version.mjs": "export const number = '0';\nthrow new Error('bad init');\n"},
		ErrorType: "Error",
		Races:     20,
		Parallel:  8,
	})
}
