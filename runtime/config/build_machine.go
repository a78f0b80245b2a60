package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// maxDefinition is the largest definition in bytes. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxDefinition = 1 << 20

func (l *loader) stateMachine(i *instance) *StateMachine {
	f := i.fields
	m := &StateMachine{
		Block: i.base(), Name: l.checkName(i, machineNaming), Type: f.text("type"), Tags: l.tags(f, 50), ARN: i.exportedText("arn"),
	}
	written, ok := f.values["definition"].(string)
	if !ok || f.given("substitutions") && f.values["substitutions"] == nil {
		return m
	}
	d := substitute(written, f.textMap("substitutions"))
	m.Definition = d.text
	for _, u := range d.unknown {
		at := l.placeIn(f, written, u.offset, u.offset+len(u.name)+len("${}"))
		l.add(at, "Unknown substitution", "substitutions has no %q%s", u.name, didYouMean(u.name, keysOf(f.textMap("substitutions"))))
	}
	if len(d.unknown) > 0 {
		return m
	}
	if len(m.Definition) > maxDefinition {
		l.add(f.rangeOf("definition"), "Invalid definition", "it has %d bytes; Step Functions takes %d", len(m.Definition), maxDefinition)
	}
	if l.checkJSON(f, written, d) && l.opts.CheckDefinition != nil {
		for _, fault := range l.opts.CheckDefinition(m.Definition, m.Type) {
			l.add(l.placeOfState(f, written, d, fault.Location), "Invalid definition", "%s", fault.Message)
		}
	}
	return m
}

// placeOfState returns where a definition has the state, or the member, that a path like /States/Pay ends with.
func (l *loader) placeOfState(f *fields, written string, d definition, path string) hcl.Range {
	name := path[strings.LastIndexByte(path, '/')+1:]
	key := regexp.MustCompile(regexp.QuoteMeta(strconv.Quote(name)) + `\s*:`).FindStringIndex(d.text)
	if name == "" || key == nil {
		return f.rangeOf("definition")
	}
	offset := d.origin(key[0])
	return l.placeIn(f, written, offset, offset+len(name)+len(`""`))
}

// checkJSON reports a definition that is not a JSON object, at the place of the mistake if it came from a file.
func (l *loader) checkJSON(f *fields, written string, d definition) (ok bool) {
	var object map[string]json.RawMessage
	err := json.Unmarshal([]byte(d.text), &object)
	if err == nil {
		return true
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		l.add(f.rangeOf("definition"), "Invalid definition", "a definition is a JSON object: {\"StartAt\": …, \"States\": {…}}")
		return false
	}
	// The error's offset counts the byte that it was found at.
	offset := d.origin(max(int(syntax.Offset)-1, 0))
	at := l.placeIn(f, written, offset, offset+1)
	where := ""
	if at.Filename == f.rangeOf("definition").Filename {
		pos := positionAt(written, offset)
		where = fmt.Sprintf(" (line %d, column %d of the definition)", pos.Line, pos.Column)
	}
	l.add(at, "Invalid JSON", "%s%s", syntax.Error(), where)
	return false
}

// placeIn returns the place of a part of a text: in the file that it came from, else where the argument is written.
func (l *loader) placeIn(f *fields, text string, from, to int) hcl.Range {
	path, ok := l.contents[text]
	if !ok {
		return f.rangeOf("definition")
	}
	name := filepath.ToSlash(path)
	l.source(name, []byte(text))
	return hcl.Range{Filename: name, Start: positionAt(text, from), End: positionAt(text, min(to, len(text)))}
}

// positionAt returns line and column of a byte.
func positionAt(text string, offset int) hcl.Pos {
	before := text[:min(offset, len(text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return hcl.Pos{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[line:]) + 1, Byte: len(before)}
}

// placeholder is what AWS calls a definition substitution; a second $ before it keeps it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
var placeholder = lazy(`\$?\$\{([A-Za-z0-9_]+)\}`)

// definition is a text with its substitutions made.
type definition struct {
	text    string
	unknown []unknownName
	shifts  []shift
}

// unknownName is a placeholder without a value, and where it was written.
type unknownName struct {
	name   string
	offset int
}

// shift says that from a byte of the result on, bytes come from another place of what was written.
type shift struct{ result, written int }

// substitute replaces ${Name} by its value, as text, whether it stands in a JSON string or not.
func substitute(written string, values map[string]string) definition {
	var d definition
	var b strings.Builder
	end := 0
	for _, at := range placeholder().FindAllStringSubmatchIndex(written, -1) {
		b.WriteString(written[end:at[0]])
		whole, name := written[at[0]:at[1]], written[at[2]:at[3]]
		value, known := values[name]
		switch {
		case strings.HasPrefix(whole, "$$"):
			b.WriteString(whole[1:])
		case !known:
			d.unknown = append(d.unknown, unknownName{name, at[0]})
		default:
			b.WriteString(value)
		}
		end = at[1]
		d.shifts = append(d.shifts, shift{b.Len(), end})
	}
	b.WriteString(written[end:])
	d.text = b.String()
	return d
}

// origin returns where a byte of the result was written; for one of a value, the placeholder's end.
func (d definition) origin(offset int) int {
	at := offset
	for _, s := range d.shifts {
		if offset >= s.result {
			at = s.written + offset - s.result
		}
	}
	return at
}
