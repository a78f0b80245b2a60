package node_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// children are the processes that the test has started, by what they run.
func children(t *testing.T) (count int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) && f[0] != "Z" {
			count++
		}
	}
	return count
}

// A function that nobody has called finds a process that was started before it was known.
func TestTheFirstEventFindsAProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no /proc here")
	}
	p := project(t, "nodejs20.x", "", files{"index.js": "const started = Date.now() - process.uptime() * 1000;\n" +
		"exports.handler = async () => ({ started, cwd: process.cwd() === __dirname, colour: process.env.COLOUR, names: Object.keys(process.env).includes('TZ'), zone: new Date(0).getHours() });\n"})
	p.Put(t)
	for tries := 0; children(t) == 0; tries++ {
		if tries > 1000 {
			t.Fatal("no process waits")
		}
		time.Sleep(10 * time.Millisecond)
	}
	before := float64(time.Now().UnixMilli())
	out := p.Invoke(t, `{}`)
	text := string(out.Payload)
	_, rest, _ := strings.Cut(text, `"started":`)
	number, rest, _ := strings.Cut(rest, ",")
	if started, err := strconv.ParseFloat(number, 64); err != nil || started > before+1 {
		t.Errorf("the process was started for the event: %s", text)
	}
	if rest != `"cwd":true,"colour":"green","names":true,"zone":0}` {
		t.Errorf("answered %s", text)
	}
}

func TestVariablesThatNodeReadsAtItsStartCount(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => [globalThis.preloaded, process.env.NODE_OPTIONS.slice(0, 9)];\n", "preload.cjs": "globalThis.preloaded = true;\n"})
	p.Function.Environment = map[string]string{"NODE_OPTIONS": "--require " + filepath.Join(p.Dir, "preload.cjs")}
	p.Put(t)
	p.Want(t, `{}`, `[true,"--require"]`)
}

func TestPackagesAreLoadedBeforeTheFirstEvent(t *testing.T) {
	needsNode(t)
	f := files{"index.js": "const { value } = require('slow');\nexports.handler = async () => [value, Date.now() - globalThis.loadedAt > 0];\n"}
	pack(f, "node_modules", "slow", "slow")
	f["node_modules/slow/index.js"] = "const end = Date.now() + 100;\nwhile (Date.now() < end);\nglobalThis.loadedAt = Date.now();\nrequire('fs').appendFileSync(require('path').join(__dirname, 'loads.log'), 'x');\nexports.value = 'slow';\n"
	p := project(t, "nodejs20.x", "", f)
	p.Put(t)
	loads := filepath.Join(p.Dir, "node_modules/slow/loads.log")
	for tries := 0; ; tries++ {
		if _, err := os.Stat(loads); err == nil {
			break
		}
		if tries > 1000 {
			t.Fatal("nothing loads the package")
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Want(t, `{}`, `["slow",true]`)
}
