package jsonpath

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"devstack/emulators/stepfunctions/value"
)

// NotFound says why a path selects nothing, in Jayway's words.
type NotFound struct{ Reason string }

// Error returns the reason.
func (e *NotFound) Error() string { return e.Reason }

// Eval returns what the path selects in root: one value if it is definite, else a list that may be empty. An error is a
// *NotFound. An indefinite path fails only where its definite beginning does.
func (p *Path) Eval(root any) (any, error) {
	e := &evaluation{root: root}
	if err := e.walk(p.steps, root, "$", true); err != nil {
		return nil, err
	}
	var result any = e.found
	if p.definite {
		result = e.found[0]
	} else if e.found == nil {
		result = []any{}
	}
	if p.function == "" {
		return result, nil
	}
	return functions[p.function](result)
}

// maxVisits is how many values one evaluation looks at: each ".." in a path multiplies their number.
const maxVisits = 1 << 20

type evaluation struct {
	root   any
	found  []any
	visits int
}

// walk applies the steps to a value at a place. While strict, what is missing is an error; below a step that selects many
// it is passed over.
func (e *evaluation) walk(steps []step, v any, at string, strict bool) error {
	if e.visits++; e.visits > maxVisits {
		return &NotFound{"The path selects too many values"}
	}
	if len(steps) == 0 {
		e.found = append(e.found, v)
		return nil
	}
	s, rest := steps[0], steps[1:]
	switch {
	case s.deep:
		return e.descend(rest, v, at)
	case len(s.names) > 0:
		return e.property(s.names, rest, v, at, strict)
	case s.index != nil:
		return e.indexes(s.index, rest, v, at, strict)
	case s.slice != nil:
		return e.slice(s.slice, rest, v, at, strict)
	default:
		return e.each(s.filter, rest, v, at)
	}
}

func (e *evaluation) property(names []string, rest []step, v any, at string, strict bool) error {
	o, ok := v.(*value.Object)
	if len(names) > 1 {
		if !ok {
			return missing(strict, expectedObject(names, v, at))
		}
		picked := &value.Object{}
		for _, n := range names {
			if x, ok := o.Get(n); ok {
				picked.Set(n, x)
			}
		}
		return e.walk(rest, picked, at+bracketed(names), strict)
	}
	if !ok {
		return missing(strict, expectedObject(names, v, at))
	}
	here := at + bracketed(names)
	x, ok := o.Get(names[0])
	switch {
	case ok:
		return e.walk(rest, x, here, strict)
	case len(rest) > 0:
		return missing(strict, "Missing property in path "+here)
	}
	return missing(strict, "No results for path: "+here)
}

func missing(strict bool, reason string) error {
	if !strict {
		return nil
	}
	return &NotFound{reason}
}

func bracketed(names []string) string { return "['" + strings.Join(names, "','") + "']" }

// expectedObject is Jayway's complaint, from its source (PropertyPathToken); AWS uses its Jackson provider.
func expectedObject(names []string, v any, at string) string {
	return "Expected to find an object with property " + bracketed(names) + " in path " + at + " but found '" + nodeType(v) +
		"'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
}

// nodeType is the class that Jackson reads a value as.
func nodeType(v any) string {
	const pkg = "com.fasterxml.jackson.databind.node."
	switch v := v.(type) {
	case nil:
		return pkg + "NullNode"
	case bool:
		return pkg + "BooleanNode"
	case string:
		return pkg + "TextNode"
	case []any:
		return pkg + "ArrayNode"
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return pkg + "DoubleNode"
		}
		if _, err := strconv.ParseInt(string(v), 10, 32); err != nil {
			return pkg + "LongNode"
		}
		return pkg + "IntNode"
	}
	return pkg + "ObjectNode"
}

func (e *evaluation) indexes(index []int, rest []step, v any, at string, strict bool) error {
	list, ok := v.([]any)
	text := make([]string, len(index))
	for i, n := range index {
		text[i] = strconv.Itoa(n)
	}
	here := at + "[" + strings.Join(text, ",") + "]"
	if !ok {
		return missing(strict, "Filter: ["+strings.Join(text, ",")+"] can only be applied to arrays. Current context is: "+value.Encode(v))
	}
	for _, n := range index {
		if n < 0 {
			n += len(list)
		}
		if n < 0 || n >= len(list) {
			if len(index) == 1 {
				return missing(strict, "No results for path: "+here)
			}
			continue
		}
		if err := e.walk(rest, list[n], at+"["+strconv.Itoa(n)+"]", strict && len(index) == 1); err != nil {
			return err
		}
	}
	return nil
}

func (e *evaluation) slice(s *slice, rest []step, v any, at string, strict bool) error {
	list, ok := v.([]any)
	if !ok {
		return missing(strict, "Filter: "+s.String()+" can only be applied to arrays. Current context is: "+value.Encode(v))
	}
	clamp := func(n *int, otherwise int) int {
		if n == nil {
			return otherwise
		}
		if *n < 0 {
			return max(0, *n+len(list))
		}
		return min(*n, len(list))
	}
	from, to := clamp(s.from, 0), clamp(s.to, len(list))
	for i := from; i < to; i++ {
		if err := e.walk(rest, list[i], at+"["+strconv.Itoa(i)+"]", false); err != nil {
			return err
		}
	}
	return nil
}

// String writes the slice as in a path.
func (s *slice) String() string {
	num := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	return "[" + num(s.from) + ":" + num(s.to) + "]"
}

// each applies the rest to every member or element, or to those that the filter lets pass. A filter looks at an object
// itself, not at its members.
func (e *evaluation) each(filter *expr, rest []step, v any, at string) error {
	visit := func(x any, here string) error {
		if filter != nil && !filter.test(x, e.root) {
			return nil
		}
		return e.walk(rest, x, here, false)
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			if err := visit(x, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	case *value.Object:
		if filter != nil {
			return visit(v, at)
		}
		for _, k := range v.Keys() {
			x, _ := v.Get(k)
			if err := visit(x, at+"['"+k+"']"); err != nil {
				return err
			}
		}
	}
	return nil
}

// descend applies the rest to a value and to everything below it, parents first.
func (e *evaluation) descend(rest []step, v any, at string) error {
	if err := e.walk(rest, v, at, false); err != nil {
		return err
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			if err := e.descend(rest, x, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	case *value.Object:
		for _, k := range v.Keys() {
			x, _ := v.Get(k)
			if err := e.descend(rest, x, at+"['"+k+"']"); err != nil {
				return err
			}
		}
	}
	return nil
}

// functions are those of Jayway's that may end a path and take no arguments.
var functions = map[string]func(any) (any, error){
	"length": length,
	"min":    aggregate(func(ns []*big.Rat) *big.Rat { return slices.MinFunc(ns, (*big.Rat).Cmp) }),
	"max":    aggregate(func(ns []*big.Rat) *big.Rat { return slices.MaxFunc(ns, (*big.Rat).Cmp) }),
	"sum":    aggregate(sum),
	"avg": aggregate(func(ns []*big.Rat) *big.Rat {
		return new(big.Rat).Quo(sum(ns), big.NewRat(int64(len(ns)), 1))
	}),
}

func length(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return value.Int(int64(len(v))), nil
	case *value.Object:
		return value.Int(int64(v.Len())), nil
	}
	return nil, nil
}

func sum(ns []*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, n := range ns {
		total.Add(total, n)
	}
	return total
}

// aggregate makes a function of a list's numbers. Its result is a double, as Jayway's is.
func aggregate(f func([]*big.Rat) *big.Rat) func(any) (any, error) {
	return func(v any) (any, error) {
		var ns []*big.Rat
		list, _ := v.([]any)
		for _, x := range list {
			if n, ok := x.(json.Number); ok {
				if d, err := n.Float64(); err == nil {
					ns = append(ns, new(big.Rat).SetFloat64(d))
				}
			}
		}
		if len(ns) == 0 {
			return nil, &NotFound{"Aggregation function attempted to calculate value using empty array"}
		}
		d, _ := f(ns).Float64()
		text := strconv.FormatFloat(d, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return json.Number(text), nil
	}
}
