package config

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// variable is one assignment of an environment file.
type variable struct {
	name, value string
	line        int // from 1
}

// dotenvName is what programs that read such files take for a name.
var dotenvName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`) })

// parseDotenv reads an environment file: a NAME=value a line, "export " before it or not, # comments. A value in '…' or `…` is taken as it
// is, over several lines if it has them; in "…" the escapes \n \r \t \\ \" \$ and \` stand for what they say. Another value ends
// at its line, or before a # that follows a space, without the spaces around it. Nothing is substituted. Of a name that is given twice
// the later value counts. An error names the line.
func parseDotenv(text string) ([]variable, int, error) {
	var out []variable
	p := dotenv{rest: strings.ReplaceAll(text, "\r\n", "\n"), line: 1}
	for p.rest != "" {
		v, ok, err := p.assignment()
		if err != nil {
			return nil, p.line, err
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, 0, nil
}

// dotenv is a file that is being read.
type dotenv struct {
	rest string
	line int // that rest begins in
}

// assignment reads a line, or several where a value has them. ok is false for one without an assignment.
func (p *dotenv) assignment() (v variable, ok bool, err error) {
	line, _, _ := strings.Cut(p.rest, "\n")
	if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
		p.skip(len(line) + 1)
		return v, false, nil
	}
	name, _, found := strings.Cut(line, "=")
	if !found {
		return v, false, fmt.Errorf("%q is not NAME=value", strings.TrimSpace(line))
	}
	value := len(name) + 1
	name = strings.TrimSpace(name)
	if after, exported := strings.CutPrefix(name, "export"); exported && after != "" && (after[0] == ' ' || after[0] == '\t') {
		name = strings.TrimSpace(after)
	}
	if !dotenvName().MatchString(name) {
		return v, false, fmt.Errorf("%q is not the name of a variable", name)
	}
	v = variable{name: name, line: p.line}
	p.skip(value)
	for p.rest != "" && (p.rest[0] == ' ' || p.rest[0] == '\t') {
		p.skip(1)
	}
	if p.rest != "" && strings.IndexByte("'\"`", p.rest[0]) >= 0 {
		v.value, err = p.quoted()
	} else {
		v.value = p.plain()
	}
	return v, err == nil, err
}

// skip goes on by n bytes, or to the end.
func (p *dotenv) skip(n int) {
	n = min(n, len(p.rest))
	p.line += strings.Count(p.rest[:n], "\n")
	p.rest = p.rest[n:]
}

// plain reads a value without quotes.
func (p *dotenv) plain() string {
	line, _, _ := strings.Cut(p.rest, "\n")
	p.skip(len(line) + 1)
	for i := range line {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return strings.TrimSpace(line)
}

// quoted reads a value in quotes and what is left of the line after it.
func (p *dotenv) quoted() (string, error) {
	quote := p.rest[0]
	var b strings.Builder
	i := 1
	for ; i < len(p.rest) && p.rest[i] != quote; i++ {
		if c := p.rest[i]; c != '\\' || quote != '"' || i+1 == len(p.rest) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c := p.rest[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case '\\', '"', '$', '`':
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	if i == len(p.rest) {
		return "", fmt.Errorf("the value that begins with %c is not closed", quote)
	}
	p.skip(i + 1)
	tail, _, _ := strings.Cut(p.rest, "\n")
	if t := strings.TrimSpace(tail); t != "" && t[0] != '#' {
		return "", fmt.Errorf("%q follows the closing %c", t, quote)
	}
	p.skip(len(tail) + 1)
	return b.String(), nil
}
