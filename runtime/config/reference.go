package config

import (
	"fmt"
	"slices"
	"strings"
)

//go:generate go run ./genreference ../../docs/stack-file.md

const referenceHead = `# The stack file

Generated from the schema in runtime/config by ` + "`go generate ./runtime/config`" + `: edit it there.

A stack is a folder with a ` + "`stack.hcl`" + `; all ` + "`*.hcl`" + ` files beside it are part of it. The language is
[HCL](https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md), as Terraform uses it.

## References

A block refers to another by its type and name: ` + "`table.orders.name`" + `. What it refers to is started first, so the
references are the stack's graph (` + "`devstack graph`" + `); two blocks cannot refer to each other. Names, ports and ARNs are
chosen before anything is evaluated, so blocks may stand in any order.

Besides resources there are ` + "`var.NAME`, `local.NAME`, `stack.name`" + ` and the like, and in a block with ` + "`for_each`" + `
` + "`each.key` and `each.value`" + `.

## for_each

Every resource block takes ` + "`for_each`" + `: a map, or a set of strings. The block then stands for one resource an element,
referred to with its key.

` + "```hcl" + `
table "orders" {
  for_each = toset(["eu", "us"])
  hash_key = "id"
}

function "report" {
  runtime     = "js"
  source      = "report.ts"
  environment = { TABLE = table.orders["eu"].name } # orders-eu
}
` + "```" + `
`

// Reference returns the Markdown page about every block, argument and function of the language.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range language() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```hcl\n%s\n```\n", s.name, s.doc, s.example)
		referenceAttributes(&b, s)
		for _, nested := range s.blocks {
			fmt.Fprintf(&b, "\n### %s in %s\n\n`%s %s{ … }` %s\n", nested.name, s.name, nested.name, quotedLabel(nested), nested.doc)
			referenceAttributes(&b, nested)
		}
		if len(s.exports) > 0 {
			b.WriteString("\n| reference | what it is |\n|---|---|\n")
			for _, e := range s.exports {
				ref := s.name + ".NAME." + e.name
				if s.name == "stack" {
					ref = "stack." + e.name
				}
				fmt.Fprintf(&b, "| `%s` | %s |\n", ref, cell(e.doc))
			}
		}
	}
	referenceFunctions(&b)
	return b.String()
}

func referenceAttributes(b *strings.Builder, s *blockSchema) {
	if len(s.attributes) == 0 {
		return
	}
	b.WriteString("\n| argument | value | default | |\n|---|---|---|---|\n")
	for _, a := range s.attributes {
		fallback := ""
		switch {
		case a.required:
			fallback = "required"
		case a.fallback != "":
			fallback = "`" + a.fallback + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", a.name, a.value(s), fallback, cell(a.doc))
	}
}

// value says what an argument takes.
func (a *attribute) value(s *blockSchema) string {
	switch {
	case s.name == "variable" && a.name == "type":
		return "type"
	case s.name == "variable" && a.name == "default":
		return "any"
	case a.oneOf != nil:
		quoted := make([]string, len(a.oneOf))
		for i, v := range a.oneOf {
			quoted[i] = "`\"" + v + "\"`"
		}
		return strings.Join(quoted, ", ")
	case a.kind == target:
		return "a " + a.of
	case a.kind == integer && a.max > 1<<32:
		return fmt.Sprintf("%d or more", a.min)
	case a.kind == integer && a.max != 0:
		return fmt.Sprintf("%d to %d", a.min, a.max)
	}
	return a.kind.String()
}

func referenceFunctions(b *strings.Builder) {
	l := newLoader("/", Options{})
	b.WriteString("\n## Functions\n\n| function | what it returns |\n|---|---|\n")
	for _, name := range keysOf(l.functions) {
		f := l.functions[name]
		var params []string
		for _, p := range f.Params() {
			params = append(params, p.Name)
		}
		if p := f.VarParam(); p != nil {
			params = append(params, p.Name+"…")
		}
		fmt.Fprintf(b, "| `%s(%s)` | %s |\n", name, strings.Join(params, ", "), cell(functionDoc(name, f.Description())))
	}
}

// functionDoc adds what the library leaves unsaid.
func functionDoc(name, doc string) string {
	if doc != "" {
		return doc
	}
	switch name {
	case "can":
		return "Whether its argument can be evaluated without an error."
	case "try":
		return "The first of its arguments that can be evaluated without an error."
	}
	if to, ok := strings.CutPrefix(name, "to"); ok {
		return "Its argument converted to a " + to + "."
	}
	return ""
}

// cell keeps a text in one cell of a table.
func cell(s string) string {
	return strings.Join(slices.Collect(strings.FieldsFuncSeq(strings.ReplaceAll(s, "|", `\|`), func(r rune) bool { return r == '\n' })), " ")
}
