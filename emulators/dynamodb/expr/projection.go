package expr

import (
	"slices"

	"devstack/emulators/dynamodb/item"
)

// Projection is a projection expression.
type Projection struct {
	paths []path
	env
	columns bool // of another language: see Columns
}

// projection parses: path, path, …
func (p *parser) projection() {
	p.paths = append(p.paths, p.path())
	for p.accept(",") {
		p.paths = append(p.paths, p.path())
	}
}

// ParseProjection parses a ProjectionExpression. No path may overlap with another one.
func ParseProjection(text string, p *Params) (*Projection, error) {
	s, err := cached(ProjectionExpression, text)
	if err != nil {
		return nil, err
	}
	e, err := p.bind(s)
	if err != nil {
		return nil, err
	}
	if err := checkPaths(ProjectionExpression, s.paths, e.names); err != nil {
		return nil, err
	}
	return &Projection{paths: s.paths, env: e}, nil
}

// Names returns the top-level attributes that the projection reads, each once, in the order of their first use.
func (p *Projection) Names() []string { return topNames(p.paths, p.names) }

// Whole returns the attributes that the projection names, if it names nothing within them.
func (p *Projection) Whole() (names []string, whole bool) {
	for _, path := range p.paths {
		if len(path) > 1 {
			return nil, false
		}
	}
	return p.Names(), true
}

// Apply returns the part of an item that the projection names. What the item does not have is left out; the elements of a
// list move up.
func (p *Projection) Apply(src Source) item.Item {
	if p.columns {
		return p.applyColumns(src)
	}
	return project(src, p.paths, p.names)
}

func topNames(paths []path, names []string) []string {
	var top []string
	for _, p := range paths {
		top = markUsed(top, p[0].nameIn(names))
	}
	return top
}

func project(src Source, paths []path, names []string) item.Item {
	out := make(item.Item, len(paths))
	for _, p := range paths {
		name := p[0].nameIn(names)
		if _, done := out[name]; done {
			continue
		}
		v, ok := src.Lookup(name)
		if ok && len(p) > 1 {
			v, ok = projectValue(v, below(paths, &p[0], 0, names), 1, names)
		}
		if ok {
			out[name] = v
		}
	}
	return out
}

// below returns the paths that go through an element at the given depth.
func below(paths []path, through *element, depth int, names []string) []path {
	var found []path
	for _, p := range paths {
		if e := &p[depth]; e.index == through.index && e.nameIn(names) == through.nameIn(names) {
			found = append(found, p)
		}
	}
	return found
}

// projectValue returns what the paths name of a value that they all reach at the given depth, and whether that is anything.
func projectValue(v item.Value, paths []path, depth int, names []string) (item.Value, bool) {
	if len(paths[0]) == depth {
		return v, true
	}
	if paths[0][depth].isIndex {
		return projectList(v, paths, depth, names)
	}
	out := item.Item{}
	for _, p := range paths {
		name := p[depth].nameIn(names)
		child, ok := v.Map().Lookup(name)
		if _, done := out[name]; !ok || done {
			continue
		}
		if child, ok = projectValue(child, below(paths, &p[depth], depth, names), depth+1, names); ok {
			out[name] = child
		}
	}
	return item.Map(out), len(out) > 0
}

func projectList(v item.Value, paths []path, depth int, names []string) (item.Value, bool) {
	var indexes []int
	for _, p := range paths {
		indexes = append(indexes, p[depth].index)
	}
	slices.Sort(indexes)
	var out []item.Value
	for _, index := range slices.Compact(indexes) {
		through := &element{ref: -1, isIndex: true, index: index}
		child, ok := through.step(v, names)
		if !ok {
			break
		}
		if child, ok = projectValue(child, below(paths, through, depth, names), depth+1, names); ok {
			out = append(out, child)
		}
	}
	return item.List(out), len(out) > 0
}
