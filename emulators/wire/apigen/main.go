// Command apigen writes a service's api_gen.go from the model that AWS publishes: its types, its constraints, its errors,
// and the interface that the service implements.
//
//	MODELS=…/aws-models go run devstack/emulators/wire/apigen -service sqs -model sqs -operations operations.txt
//
// It reads Smithy's JSON AST, and the patterns of strings from botocore's models in …/aws-models-botocore. Models are not part
// of this repository, the generated code is. Where a service differs from its model, ../models/SERVICE.overrides says so.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// config is the command line.
type config struct {
	service    string // our package
	model      string // file name in the models' folder, without .json
	operations string // file with an operation a line, # for comments
	out        string
	prefix     string          // of every generated name, for a package's second service
	shared     map[string]bool // shapes whose types the package's first service has generated
	overrides  string
	models     string
	botocore   string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("apigen: ")
	var c config
	var shared string
	flag.StringVar(&c.service, "service", "", "our `name` of the service, and of its package")
	flag.StringVar(&c.model, "model", "", "`name` of the model's file, if it is not the service's")
	flag.StringVar(&c.operations, "operations", "operations.txt", "`file` that lists the operations to generate")
	flag.StringVar(&c.out, "out", "api_gen.go", "`file` to write")
	flag.StringVar(&c.prefix, "prefix", "", "`prefix` of generated names, for the second service of a package")
	flag.StringVar(&shared, "shared", "", "comma-separated `shapes` that the first service of the package generates")
	flag.StringVar(&c.overrides, "overrides", "", "`file` of corrections, if it is not ../models/SERVICE.overrides")
	flag.StringVar(&c.models, "models", os.Getenv("MODELS"), "`folder` of the models; MODELS in the environment")
	flag.StringVar(&c.botocore, "botocore", "", "`folder` of botocore's models; the models' folder with -botocore at its end if empty")
	flag.Parse()
	if c.service == "" || c.models == "" {
		log.Fatal("-service and MODELS are needed; see the package comment")
	}
	if c.model == "" {
		c.model = c.service
	}
	if c.overrides == "" {
		c.overrides = filepath.Join("..", "models", c.service+strings.ToLower(c.prefix)+".overrides")
	}
	if c.botocore == "" {
		c.botocore = filepath.Clean(c.models) + "-botocore"
	}
	c.shared = map[string]bool{}
	for s := range strings.SplitSeq(shared, ",") {
		c.shared[s] = true
	}
	if err := generate(c); err != nil {
		log.Fatal(err)
	}
}

// generate reads the model, the overrides and the list of operations, and writes the file.
func generate(c config) error {
	m, err := readModel(filepath.Join(c.models, c.model+".json"))
	if err != nil {
		return err
	}
	if err := usePatterns(m, c.botocore); err != nil {
		return err
	}
	if err := applyOverrides(m, c.overrides); err != nil {
		return err
	}
	wanted, err := readOperations(c.operations)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := newEmitter(c, m, wanted).write(&b); err != nil {
		return err
	}
	src, err := format.Source(b.Bytes())
	if err != nil {
		os.WriteFile(c.out+".broken", b.Bytes(), 0o644)
		return fmt.Errorf("generated code does not parse (see %s.broken): %w", c.out, err)
	}
	return os.WriteFile(c.out, src, 0o644)
}

// readOperations reads the names in operations.txt.
func readOperations(path string) (map[string]bool, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ops := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			ops[line] = true
		}
	}
	return ops, nil
}
