package js

import (
	"fmt"
	"testing"

	"devstack/internal/clock"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
)

func TestSuite(t *testing.T) {
	const index = `import { version } from "./version"
export const handler = async (event: { do: string; value?: unknown; name?: string; line?: string }) => {
  switch (event.do) {
    case "version": return version
    case "echo": return event.value
    case "throw": throw new Error("boom")
    case "sleep": return await new Promise((resolve) => setTimeout(resolve, 60_000))
    case "exit": return process.exit(1)
    case "env": return process.env[event.name!] ?? ""
    case "log": console.log(event.line); return null
  }
}
`
	functiontest.Run(t, func(t *testing.T) function.Engine { return New(Options{Clock: clock.System()}) }, functiontest.Sample{
		Runtime: "js",
		Files: func(version string) map[string]string {
			return map[string]string{"index.ts": index, "version.ts": fmt.Sprintf("export const version: string = %q\n", version)}
		},
		Broken:    map[string]string{"version.ts": "export const version = {\n"},
		BadInit:   map[string]string{"version.ts": "throw new Error('cannot load')\nexport const version = 1\n"},
		ErrorType: "Error",
	})
}
