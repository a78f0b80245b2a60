package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"
)

// FileName is the file that makes a folder a stack.
const FileName = "stack.hcl"

// maxFileSize bounds each file that a stack is read from, in bytes.
const maxFileSize = 1 << 20

// Options are what a stack depends on besides its files.
type Options struct {
	Vars      map[string]string                // values of variables, before the environment's
	Env       func(name string) (string, bool) // the environment; nil: the process's own
	Allocator Allocator                        // of ports and stream labels; nil: a MemoryAllocator

	// CheckDefinition returns what is wrong with a state machine's definition; nil: it is only held against JSON's grammar.
	CheckDefinition func(definition, machineType string) []DefinitionFault

	// CheckSeed returns what is wrong with a file of items for a table, and in which line (0: the whole); nil: nobody looks
	// into it yet.
	CheckSeed func(path string, t *Table) (line int, message string)
}

// DefinitionFault is one mistake in a definition.
type DefinitionFault struct {
	Message  string // "MISSING_TRANSITION_TARGET: …"
	Location string // JSON path of the state: "/States/Pay", "" for the whole
}

// Find returns the nearest folder from dir upward that has a stack.hcl. If there is none the error names dir and is an
// fs.ErrNotExist.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find stack: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, FileName)); err == nil && info.Mode().IsRegular() {
			return at, nil
		}
		if filepath.Dir(at) == at {
			return "", fmt.Errorf("no %s in %s or a folder above it: %w", FileName, start, fs.ErrNotExist)
		}
	}
}

// Load reads the stack in a folder: stack.hcl and all *.hcl files beside it.
//
// The error is Diagnostics and lists every problem. The Stack is then not nil but has only Dir and Files, which are
// what to watch for the mend. Loading has no effect but the choices of the allocator.
func Load(dir string, opts Options) (*Stack, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return &Stack{Dir: dir}, Diagnostics{{Summary: "No stack", Detail: err.Error()}}
	}
	l := newLoader(abs, opts)
	if bodies := l.parse(); len(l.list) == 0 {
		l.declare(bodies)
		l.build()
	}
	files := slices.Compact(slices.Sorted(slices.Values(l.files)))
	if len(l.list) > 0 {
		return &Stack{Dir: abs, Files: files}, l.sorted()
	}
	l.stack.Files = files
	return l.stack, nil
}

// loader is the state of one Load.
type loader struct {
	problems
	dir       string
	opts      Options
	stack     *Stack
	files     []string          // absolute paths of all files read, or wanted and missing
	contents  map[string]string // what file() returned → the path as written, to place mistakes in it
	functions map[string]function.Function

	stackBlock *hclsyntax.Block
	variables  map[string]*thunk
	locals     map[string]*thunk
	stackValue *thunk
	resources  map[string]map[string]*declared // by type and label
	order      []*declared                     // as written
	visiting   []string                        // the thunks that are being evaluated, for cycles
}

func newLoader(dir string, opts Options) *loader {
	if opts.Env == nil {
		opts.Env = os.LookupEnv
	}
	if opts.Allocator == nil {
		opts.Allocator = NewMemoryAllocator()
	}
	l := &loader{
		dir: dir, opts: opts, stack: &Stack{Dir: dir}, contents: map[string]string{},
		variables: map[string]*thunk{}, locals: map[string]*thunk{}, resources: map[string]map[string]*declared{},
	}
	l.functions = l.functionTable()
	return l
}

// parse reads all files. Syntax errors of all of them are reported together; there is no use in going on after one.
func (l *loader) parse() []*hclsyntax.Body {
	names, _ := filepath.Glob(filepath.Join(globEscape(l.dir), "*.hcl")) // the pattern is well-formed
	if !slices.Contains(names, filepath.Join(l.dir, FileName)) {
		l.files = append(l.files, filepath.Join(l.dir, FileName))
		l.add(hcl.Range{}, "No stack", "%s has no %s", l.dir, FileName)
		return nil
	}
	slices.SortStableFunc(names, func(a, b string) int { // stack.hcl first: the others add to it
		return cmp.Compare(rank(a), rank(b))
	})
	var bodies []*hclsyntax.Body
	for _, path := range names {
		content, err := l.readFile(path)
		base := filepath.Base(path)
		if err != nil {
			l.add(hcl.Range{Filename: base}, "Unreadable file", "%v", err)
			continue
		}
		l.source(base, content)
		if line := tooDeep(content); line > 0 {
			at := hcl.Pos{Line: line, Column: 1}
			l.add(hcl.Range{Filename: base, Start: at, End: at}, "Too deep", "there are more than %d open brackets, %d signs in a row, or %d conditions", maxDepth, maxDepth, maxConditions)
			continue
		}
		file, diags := hclsyntax.ParseConfig(content, base, hcl.InitialPos)
		l.addHCL(untilUnclosed(diags))
		if file != nil {
			bodies = append(bodies, file.Body.(*hclsyntax.Body))
		}
	}
	return bodies
}

// The parser goes down with nested brackets, with signs before a term and with conditions in the last part of a
// condition; were it to go too deep, the end of its stack would end the process.
const (
	maxDepth      = 500    // brackets that are open at once, signs in a row
	maxConditions = 10_000 // question marks in a file
)

// tooDeep returns the line at which there are too many, 0 if there is none. Those in strings and comments count too.
func tooDeep(content []byte) int {
	depth, signs, conditions, line := 0, 0, 0, 1
	for _, c := range content {
		switch c {
		case '-', '!':
			signs++
		case ' ', '\t', '\r', '\n':
		default:
			signs = 0
		}
		switch c {
		case '\n':
			line++
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(depth-1, 0)
		case '?':
			conditions++
		}
		if depth > maxDepth || signs > maxDepth || conditions > maxConditions {
			return line
		}
	}
	return 0
}

// untilUnclosed leaves out what follows a quote that is not closed: every line after it looks wrong then.
func untilUnclosed(diags hcl.Diagnostics) hcl.Diagnostics {
	for i, d := range diags {
		if d.Summary == "Invalid multi-line string" {
			return diags[:i+1]
		}
	}
	return diags
}

func rank(path string) int {
	if filepath.Base(path) == FileName {
		return 0
	}
	return 1
}

// globEscape keeps a folder's name from being read as a pattern.
func globEscape(dir string) string {
	if os.PathSeparator == '\\' { // Windows has no escapes in patterns
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// readFile reads a file of bounded size and notes that the stack depends on it, whether it is there or not.
func (l *loader) readFile(path string) ([]byte, error) {
	l.files = append(l.files, path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, errors.New("is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, plainPathError(err)
	}
	if len(content) > maxFileSize {
		return nil, fmt.Errorf("is larger than %d MiB", maxFileSize>>20)
	}
	return bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), nil
}

// plainPathError leaves out the path and the system call: the message names the file already.
func plainPathError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// declare notes every block by its name, so that references can be followed in any order.
func (l *loader) declare(bodies []*hclsyntax.Body) {
	for _, body := range bodies {
		for _, attr := range attributesOf(body) {
			l.add(attr.NameRange, "Unknown argument", "a stack file consists of blocks; %q stands outside of any", attr.Name)
		}
		for _, block := range body.Blocks {
			l.declareBlock(block)
		}
	}
	if l.stackBlock == nil && len(l.list) == 0 {
		l.add(hcl.Range{Filename: FileName}, "Missing stack block", `write stack "NAME" {}`)
	}
	l.declareStack()
	l.checkVariablesGiven()
}

func (l *loader) declareBlock(block *hclsyntax.Block) {
	s := schemaOf(block.Type)
	if s == nil {
		var names []string
		for _, s := range language() {
			names = append(names, s.name)
		}
		l.add(block.TypeRange, "Unknown block", "there is no block %q%s", block.Type, didYouMean(block.Type, names))
		return
	}
	if !l.checkLabel(block, s) {
		return
	}
	switch {
	case s.name == "locals":
		l.declareLocals(block)
	case s.name == "stack" && l.stackBlock != nil:
		l.duplicate(block, l.stackBlock, "there is one stack block already")
	case s.name == "stack":
		l.stackBlock = block
		l.checkBody(block, s)
	case s.name == "variable":
		l.checkBody(block, s)
		l.declareVariable(block)
	default:
		l.checkBody(block, s)
		l.declareResource(block, s)
	}
}

// labelPattern keeps names usable in references.
var labelPattern = lazy(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// checkLabel reports a block with no label, too many, or one that references could not spell.
func (l *loader) checkLabel(block *hclsyntax.Block, s *blockSchema) bool {
	switch {
	case s.label == "" && len(block.Labels) > 0:
		l.add(block.LabelRanges[0], "Unexpected name", "%s has no name", s.name)
	case s.label != "" && len(block.Labels) == 0:
		l.add(block.TypeRange, "Missing name", "write %s \"%s\" {", s.name, s.label)
	case len(block.Labels) > 1:
		l.add(block.LabelRanges[1], "Unexpected name", "%s has one name", s.name)
	case s.label == "NAME" && !labelPattern().MatchString(block.Labels[0]) && s.name != "index":
		l.add(block.LabelRanges[0], "Invalid name", "%q is not a name: it must be letters, digits, _ and -, and not begin with a digit", block.Labels[0])
	default:
		return true
	}
	return false
}

func (l *loader) duplicate(second, first *hclsyntax.Block, what string) {
	at := first.DefRange()
	l.add(second.DefRange(), "Duplicate block", "%s, at %s:%d", what, at.Filename, at.Start.Line)
}

// attributesOf returns a body's attributes as they are written.
func attributesOf(body *hclsyntax.Body) []*hclsyntax.Attribute {
	var list []*hclsyntax.Attribute
	for _, a := range body.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return list
}
