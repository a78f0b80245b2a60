package logs

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// parseJSONPattern compiles { $.a.b = "x*" && ($.n > 1 || $.list[0] IS NULL) }: comparisons of a selector with a text (where *
// stands for anything), a number or a %regular expression%, IS TRUE, IS FALSE, IS NULL and NOT EXISTS, joined by && and ||.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#matching-terms-json-log-events
func parseJSONPattern(pattern string) (matcher, error) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(pattern, "{"), "}")
	if !ok {
		return nil, errInvalidParameterException(msgOpenBrace)
	}
	p := &jsonParser{rest: inner}
	test := p.disjunction(0)
	if p.skip(); p.bad == "" && p.rest != "" {
		p.fail("what is " + strconv.Quote(p.rest) + "?")
	}
	if p.bad != "" {
		return nil, errInvalidParameterException(msgBadPattern, p.bad)
	}
	return func(message string) bool {
		d := json.NewDecoder(strings.NewReader(message))
		d.UseNumber()
		var v any
		return d.Decode(&v) == nil && test(v)
	}, nil
}

// jsonTest holds a decoded message against a part of a pattern.
type jsonTest func(message any) bool

// jsonParser is a recursive descent over what is left of a pattern. The first mistake ends it.
type jsonParser struct {
	rest string
	bad  string
}

func (p *jsonParser) fail(why string) jsonTest {
	if p.bad == "" {
		p.bad = why
	}
	p.rest = ""
	return func(any) bool { return false }
}

func (p *jsonParser) skip() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// accept takes a symbol if it comes next.
func (p *jsonParser) accept(symbol string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, symbol)
	if ok {
		p.rest = rest
	}
	return ok
}

// maxNesting bounds parentheses, so that a pattern cannot exhaust the stack.
const maxNesting = 50

func (p *jsonParser) disjunction(depth int) jsonTest {
	left := p.conjunction(depth)
	for p.accept("||") {
		a, b := left, p.conjunction(depth)
		left = func(v any) bool { return a(v) || b(v) }
	}
	return left
}

func (p *jsonParser) conjunction(depth int) jsonTest {
	left := p.comparison(depth)
	for p.accept("&&") {
		a, b := left, p.comparison(depth)
		left = func(v any) bool { return a(v) && b(v) }
	}
	return left
}

func (p *jsonParser) comparison(depth int) jsonTest {
	if p.accept("(") {
		if depth == maxNesting {
			return p.fail("too many parentheses")
		}
		test := p.disjunction(depth + 1)
		if !p.accept(")") {
			return p.fail("a parenthesis is not closed")
		}
		return test
	}
	path, ok := p.selector()
	if !ok {
		return p.fail("a selector like $.name is missing")
	}
	for _, keyword := range []struct {
		words string
		test  func(v any, there bool) bool
	}{
		{"IS TRUE", func(v any, _ bool) bool { return v == true }}, {"IS FALSE", func(v any, _ bool) bool { return v == false }},
		{"IS NULL", func(v any, there bool) bool { return there && v == nil }}, {"NOT EXISTS", func(_ any, there bool) bool { return !there }},
	} {
		if p.keyword(keyword.words) {
			return func(m any) bool { return keyword.test(selectFrom(m, path)) }
		}
	}
	for _, operator := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.accept(operator) {
			return p.operand(path, operator)
		}
	}
	return p.fail("an operator is missing")
}

// keyword takes words if they come next, whatever their case and the space between them.
func (p *jsonParser) keyword(words string) bool {
	p.skip()
	rest := p.rest
	for word := range strings.SplitSeq(words, " ") {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
			return false
		}
		rest = rest[len(word):]
	}
	p.rest = rest
	return true
}

// step is one step of a selector: a member's name, or an element's index.
type step struct {
	name  string
	index int // -1: by name
}

var stepSyntax = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\.([\w-]+)|\[(\d{1,9})\]|\["([^"]*)"\])`) })

func (p *jsonParser) selector() (path []step, ok bool) {
	if !p.accept("$") {
		return nil, false
	}
	for {
		m := stepSyntax().FindStringSubmatch(p.rest)
		if m == nil {
			return path, len(path) > 0
		}
		p.rest = p.rest[len(m[0]):]
		s := step{name: m[1] + m[3], index: -1}
		if m[2] != "" {
			s.index, _ = strconv.Atoi(m[2]) // nine digits
		}
		path = append(path, s)
	}
}

// selectFrom returns what a selector names in a message, and whether it is there.
func selectFrom(v any, path []step) (any, bool) {
	for _, s := range path {
		switch container := v.(type) {
		case map[string]any:
			inner, ok := container[s.name]
			if !ok || s.index >= 0 {
				return nil, false
			}
			v = inner
		case []any:
			if s.index < 0 || s.index >= len(container) {
				return nil, false
			}
			v = container[s.index]
		default:
			return nil, false
		}
	}
	return v, true
}

var numberSyntax = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`) })

// operand reads the right side of a comparison.
func (p *jsonParser) operand(path []step, operator string) jsonTest {
	p.skip()
	if expression, found := strings.CutPrefix(p.rest, "%"); found {
		expression, rest, closed := strings.Cut(expression, "%")
		re, err := regexp.Compile(expression)
		if !closed || err != nil {
			return p.fail("the regular expression %" + expression + " is wrong")
		}
		p.rest = rest
		return textTest(path, operator, re)
	}
	if strings.HasPrefix(p.rest, `"`) {
		text, rest, closed := cutQuoted(p.rest)
		if !closed {
			return p.fail("a quote is not closed")
		}
		p.rest = rest
		return p.wildcardTest(path, operator, text)
	}
	if n := numberSyntax().FindString(p.rest); n != "" {
		after := p.rest[len(n):]
		if f, err := strconv.ParseFloat(n, 64); err == nil && (after == "" || strings.ContainsRune(" )&|\t", rune(after[0]))) {
			p.rest = after
			return numberTest(path, operator, f)
		}
	}
	end := strings.IndexAny(p.rest, " \t)&|")
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		return p.fail("a value is missing")
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	return p.wildcardTest(path, operator, text)
}

// wildcardTest compares with a text in which * stands for anything.
func (p *jsonParser) wildcardTest(path []step, operator, text string) jsonTest {
	if operator != "=" && operator != "!=" {
		return p.fail("texts are compared by = and != only")
	}
	parts := strings.Split(text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return textTest(path, operator, regexp.MustCompile("(?s)^"+strings.Join(parts, ".*")+"$"))
}

func textTest(path []step, operator string, re *regexp.Regexp) jsonTest {
	return func(m any) bool {
		v, there := selectFrom(m, path)
		if !there {
			return false
		}
		var text string
		switch v := v.(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		default:
			return false
		}
		return re.MatchString(text) == (operator == "=")
	}
}

func numberTest(path []step, operator string, want float64) jsonTest {
	return func(m any) bool {
		v, _ := selectFrom(m, path)
		n, ok := v.(json.Number)
		if !ok {
			return false
		}
		f, err := n.Float64()
		if err != nil {
			return false
		}
		switch operator {
		case "=":
			return f == want
		case "!=":
			return f != want
		case "<":
			return f < want
		case "<=":
			return f <= want
		case ">":
			return f > want
		}
		return f >= want
	}
}
