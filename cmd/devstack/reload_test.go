package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/config"
	"devstack/runtime/supervise"
)

// writeStack makes a stack of files, with $AWS for a free port.
func writeStack(t *testing.T, files map[string]string) *running {
	t.Helper()
	r := &running{t: t, dir: t.TempDir(), aws: freePort(t)}
	for name, text := range files {
		r.write(name, strings.ReplaceAll(text, "$AWS", fmt.Sprint(r.aws)))
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(r.dir, stateDir, "daemon.log"))
			t.Logf("the daemon printed:\n%s", log)
		}
		if held(r.dir) {
			r.devstack("down")
		}
	})
	return r
}

// write saves a file of the stack as simple programs do: it is emptied first.
func (r *running) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) hasTable(name string) bool {
	r.t.Helper()
	_, answer := r.awsJSON("DynamoDB_20120810.ListTables", `{}`)
	return strings.Contains(answer, `"`+name+`"`)
}

const tableFile = `table "%s" { hash_key = "id" }
`

func TestASaveWhileTheStackStartsIsNotLost(t *testing.T) {
	r := writeStack(t, map[string]string{"stack.hcl": `stack "s" { port = $AWS }
service "slow" { command = ["sh", "-c", "sleep 2; exit 1"] }
`})
	r.devstack("up", "--detach")
	eventually(t, "start of the service", func() bool { return r.state("service", "slow").State == "starting" })
	r.write("more.hcl", fmt.Sprintf(tableFile, "late"))
	eventually(t, "table of the file that was saved meanwhile", func() bool { return r.hasTable("late") })
}

func TestAFileThatIsEmptyForAMomentTakesNothingAway(t *testing.T) {
	tables := fmt.Sprintf(tableFile, "orders")
	r := writeStack(t, map[string]string{"stack.hcl": `stack "s" { port = $AWS }`, "tables.hcl": tables})
	r.devstack("up", "--detach", "--wait", "20s")
	if status, answer := r.awsJSON("DynamoDB_20120810.PutItem", `{"TableName":"orders","Item":{"id":{"S":"1"}}}`); status != 200 {
		t.Fatal(answer)
	}
	for i := range 20 {
		name := fmt.Sprint("table", i)
		r.write("tables.hcl", tables+fmt.Sprintf(tableFile, name))
		eventually(t, "table "+name, func() bool { return r.hasTable(name) })
	}
	if _, answer := r.awsJSON("DynamoDB_20120810.GetItem", `{"TableName":"orders","Key":{"id":{"S":"1"}}}`); !strings.Contains(answer, `"Item"`) {
		_, table := r.awsJSON("DynamoDB_20120810.DescribeTable", `{"TableName":"orders"}`)
		t.Errorf("the item is gone: %s; the table is %s", answer, table)
	}
	eventually(t, "end of the tables that are not in the file any more", func() bool { return !r.hasTable("table18") })
}

// What is wrong with a resource is said after each save until it is mended, whichever save has brought it about: programs that save in
// several steps make several saves of one.
func TestWhatFailsIsToldAfterEachSave(t *testing.T) {
	r := writeStack(t, map[string]string{
		"stack.hcl": `stack "s" { port = $AWS }`,
		"tables.hcl": `table "orders" {
  hash_key = "id"
  seed     = ["seed.json"]
}
`,
		"seed.json": `[{"id":"tea","price":450}]`,
	})
	r.devstack("up", "--detach", "--wait", "20s")
	complaints := func() int {
		log, _ := os.ReadFile(filepath.Join(r.dir, stateDir, "daemon.log"))
		return strings.Count(string(log), "stack.hcl is applied, but table.orders is not ready: table.orders: seed seed.json, items 1 to 1: ")
	}
	r.write("seed.json", `[{"id":"tea","price":1e450}]`)
	eventually(t, "complaint", func() bool { return complaints() > 0 })
	before := complaints()
	r.write("more.hcl", "# nothing that concerns the table\n")
	eventually(t, "complaint after another save", func() bool { return complaints() > before })
}

func TestWhatIsTakenOutWhileNothingRuns(t *testing.T) {
	table := func(label, name string) config.Resource {
		return &config.Table{Block: config.Block{ID: config.ID{Type: "table", Name: label}}, Name: name}
	}
	cache := func(label, name string) config.Resource {
		return &config.Cache{Block: config.Block{ID: config.ID{Type: "cache", Name: label}}, Name: name}
	}
	for _, tt := range []struct {
		name      string
		was, next config.Resource
		gone      bool
	}{
		{"a block that is gone", table("a", "orders"), cache("b", "prices"), true},
		{"a block that is still there", table("a", "orders"), table("a", "orders"), false},
		{"another label, the same name", table("a", "orders"), table("b", "orders"), false},
		{"another name, the same label", cache("a", "orders"), cache("a", "prices"), true},
		{"a table cannot be renamed, and is kept", table("a", "orders"), table("a", "prices"), false},
		{"the same name in another service", table("a", "orders"), cache("a", "orders"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, _ := recordOf(tt.was)
			gone := forgotten([]provisionedRecord{rec}, &config.Stack{Resources: []config.Resource{tt.next}})
			if (len(gone) == 1) != tt.gone {
				t.Errorf("forgotten: %v", gone)
			}
		})
	}
}

func TestWhatDoesNotRestartAService(t *testing.T) {
	service := func(name, dir string, watch ...string) *config.Service {
		return &config.Service{Block: config.Block{ID: config.ID{Type: "service", Name: name}}, Dir: dir, Watch: watch}
	}
	whole := service("whole", "/s", "/s")
	said := service("said", "/s", "/s", "/s/functions")
	stack := &config.Stack{Dir: "/s", Files: []string{"/s/stack.hcl", "/s/machine.json"}, Resources: []config.Resource{
		whole, said, service("inner", "/s/inner", "/s/inner"), service("outside", "/elsewhere", "/elsewhere"),
		&config.Function{Source: "/s/functions/f.ts"},
	}}
	for _, tt := range []struct {
		name    string
		service *config.Service
		others  []string
	}{
		{"in the stack's folder: what other blocks are made of", whole, []string{"/s/functions/f.ts", "/s/inner", "/s/machine.json", "/s/stack.hcl"}},
		{"in a folder of its own: nothing", stack.Resources[2].(*config.Service), nil},
		{"where the stack says what to watch: nothing", said, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			others := sourcesOfOthers(stack, tt.service)
			slices.Sort(others)
			if !slices.Equal(others, tt.others) {
				t.Errorf("not its own: %v, want %v", others, tt.others)
			}
		})
	}
}

// A service that hangs while it starts does not keep the edit waiting that mends it, what was not begun yet is begun by it, and
// what it takes away goes.
func TestASaveOvertakesAStartThatHangs(t *testing.T) {
	need(t, "python3", "it is the service here")
	const serve = `["python3", "-c", "import http.server as h, os; h.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), h.SimpleHTTPRequestHandler).serve_forever()"]`
	stack := func(command, rest string) string {
		return "stack \"s\" { port = $AWS }\nservice \"slow\" { command = " + command + " }\n" + rest +
			"function \"f\" {\n  runtime = \"js\"\n  source = \"f.js\"\n  environment = { URL = service.slow.url }\n}\n"
	}
	r := writeStack(t, map[string]string{"stack.hcl": stack(`["sleep", "300"]`, "cache \"old\" {}\n"), "f.js": "exports.handler = async () => 1\n"})
	r.devstack("up", "--detach")
	eventually(t, "service that hangs", func() bool { return r.state("service", "slow").State == supervise.Starting })

	r.write("stack.hcl", strings.ReplaceAll(stack(serve, ""), "$AWS", fmt.Sprint(r.aws)))
	eventually(t, "stack as it was saved", func() bool {
		all := r.status().Resources
		return len(all) == 2 && all[0].State == supervise.Ready && all[1].State == supervise.Ready
	})
}
