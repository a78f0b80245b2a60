package js

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/dop251/goja"
)

var propertyPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\\\\|\\([pP])\{([^}]*)\}|\\.|\[|\]`)
})

// hostProperty implements host.property(pattern): each \p{…} of a regular expression as the class of its characters.
// Go's tables know scripts, general categories and some binary properties; what they do not know is a SyntaxError.
func (s *sandbox) hostProperty(call goja.FunctionCall) goja.Value {
	inClass := false
	out := propertyPattern().ReplaceAllStringFunc(call.Argument(0).String(), func(m string) string {
		switch {
		case m == "[":
			inClass = true
		case m == "]":
			inClass = false
		case strings.HasPrefix(m, `\p{`), strings.HasPrefix(m, `\P{`):
			class, err := propertyClass(m[3:len(m)-1], m[1] == 'P')
			if err != nil {
				s.throw("SyntaxError", "Invalid regular expression: %v", err)
			}
			if inClass {
				return class
			}
			return "[" + class + "]"
		}
		return m
	})
	return s.rt.ToValue(out)
}

// propertyClass lists a property's characters, or all others, as they are written inside a class.
func propertyClass(name string, negated bool) (string, error) {
	ranges, isEmoji := emoji[name]
	if !isEmoji {
		tables, err := propertyTables(name)
		if err != nil {
			return "", err
		}
		ranges = tableRanges(tables)
	}
	if negated {
		ranges = others(ranges)
	}
	var b strings.Builder
	for _, r := range ranges {
		fmt.Fprintf(&b, `\u{%x}-\u{%x}`, r[0], r[1])
	}
	return b.String(), nil
}

// tableRanges lists the tables' characters in order, as first and last of each run.
func tableRanges(tables []*unicode.RangeTable) [][2]rune {
	var all [][2]rune
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			all = append(all, [2]rune{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			all = append(all, [2]rune{r, r})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	slices.SortFunc(all, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	out := all[:0]
	for _, r := range all {
		if n := len(out); n > 0 && r[0] <= out[n-1][1]+1 {
			out[n-1][1] = max(out[n-1][1], r[1])
		} else {
			out = append(out, r)
		}
	}
	return out
}

// others lists what is between runs.
func others(ranges [][2]rune) [][2]rune {
	var out [][2]rune
	next := rune(0)
	for _, r := range ranges {
		if r[0] > next {
			out = append(out, [2]rune{next, r[0] - 1})
		}
		next = r[1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, [2]rune{next, unicode.MaxRune})
	}
	return out
}

// idStart is what an identifier may begin with.
var idStart = []*unicode.RangeTable{unicode.L, unicode.Nl, unicode.Other_ID_Start}

func propertyTables(name string) ([]*unicode.RangeTable, error) {
	key, value, isPair := strings.Cut(name, "=")
	switch key {
	case "Script", "sc":
		if t := unicode.Scripts[value]; isPair && t != nil {
			return []*unicode.RangeTable{t}, nil
		}
	case "General_Category", "gc":
		if t := unicode.Categories[value]; isPair && t != nil {
			return []*unicode.RangeTable{t}, nil
		}
	case "Alphabetic", "Alpha":
		return []*unicode.RangeTable{unicode.L, unicode.Nl, unicode.Other_Alphabetic}, nil
	case "ID_Start", "IDS":
		return idStart, nil
	case "ID_Continue", "IDC":
		return append(slices.Clip(idStart), unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue), nil
	case "Lowercase":
		return []*unicode.RangeTable{unicode.Ll, unicode.Other_Lowercase}, nil
	case "Uppercase":
		return []*unicode.RangeTable{unicode.Lu, unicode.Other_Uppercase}, nil
	}
	if !isPair {
		if long, ok := unicode.CategoryAliases[name]; ok {
			name = long
		}
		if t := unicode.Categories[name]; t != nil {
			return []*unicode.RangeTable{t}, nil
		}
		if t := unicode.Properties[name]; t != nil {
			return []*unicode.RangeTable{t}, nil
		}
	}
	return nil, fmt.Errorf(`the js runtime does not know the property \p{%s}`, name)
}
