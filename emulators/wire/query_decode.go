package wire

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Query request is a form whose names are paths: Attributes.entry.1.key. The form is made a tree first, then the tree is
// walked by the plan.
type formNode struct {
	name  string
	value string
	set   bool // has a value of its own
	kids  []*formNode
}

// maxFormFields bounds a form. AWS publishes no figure; the largest real ones (PutMetricData, CreateStack) have thousands.
// What they are made of is bounded too, since each name may have as many parts as it likes.
const (
	maxFormFields = 50_000
	maxFormParts  = 400_000
)

func errFormTooLarge() *Error {
	return Errorf("MalformedInput", 400, "The request has more than %d parameters, or names of too many parts", maxFormFields)
}

func (n *formNode) kid(name string) *formNode {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// formField is one field of a form, in the order of the request.
type formField struct{ name, value string }

// parseForm splits an application/x-www-form-urlencoded text.
func parseForm(s string) ([]formField, error) {
	if s == "" {
		return nil, nil
	}
	fields := make([]formField, 0, strings.Count(s, "&")+1)
	for pair := range strings.SplitSeq(s, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = unescape(value); err != nil {
			return nil, err
		}
		if len(fields) == maxFormFields {
			return nil, errFormTooLarge()
		}
		fields = append(fields, formField{name, value})
	}
	return fields, nil
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	u, err := url.QueryUnescape(s)
	if err != nil {
		return "", Errorf("MalformedQueryString", 400, "The query string contains a syntax error")
	}
	return u, nil
}

// formValue returns a field of the form by its exact name.
func formValue(fields []formField, name string) string {
	for i := range fields {
		if fields[i].name == name {
			return fields[i].value
		}
	}
	return ""
}

// formTree makes the tree of a form.
func formTree(fields []formField) (*formNode, error) {
	root := &formNode{}
	index := map[*formNode]map[string]*formNode{} // of nodes with many kids
	parts := 0
	for i := range fields {
		n := root
		for name := range strings.SplitSeq(fields[i].name, ".") {
			if parts++; parts > maxFormParts {
				return nil, errFormTooLarge()
			}
			n = n.grow(name, index)
		}
		n.value, n.set = fields[i].value, true
	}
	return root, nil
}

// grow returns a node's kid by name, made if need be. Nodes with many kids (long lists) are found by an index.
func (n *formNode) grow(name string, index map[*formNode]map[string]*formNode) *formNode {
	const many = 16
	byName := index[n]
	var k *formNode
	if byName != nil {
		k = byName[name]
	} else {
		k = n.kid(name)
	}
	if k == nil {
		k = &formNode{name: name}
		n.kids = append(n.kids, k)
		if byName != nil {
			byName[name] = k
		} else if len(n.kids) == many {
			byName = map[string]*formNode{}
			for _, k := range n.kids {
				byName[k.name] = k
			}
			index[n] = byName
		}
	}
	return k
}

// queryDecoder reads the tree of a form by a plan.
type queryDecoder struct{ ec2 bool }

func (d queryDecoder) structure(p *plan, n *formNode, v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		if err := d.member(f, n, v.Field(f.index)); err != nil {
			return err
		}
	}
	return nil
}

// name is a member's name in a form. EC2's are capitalised XML names, unless the model says otherwise.
func (d queryDecoder) name(f *field) string {
	if !d.ec2 {
		return f.xml
	}
	if f.WireName != "" {
		return f.WireName
	}
	return goName(f.xml)
}

func (d queryDecoder) member(f *field, n *formNode, v reflect.Value) error {
	k := n.kid(d.name(f))
	if k == nil {
		return nil
	}
	return d.value(f, k, f.target(v))
}

func (d queryDecoder) value(f *field, n *formNode, v reflect.Value) error {
	p := f.plan
	flat := d.ec2 || f.flattened()
	switch p.kind {
	case Structure, Union:
		return d.structure(p, n, v)
	case List:
		v.Set(reflect.MakeSlice(p.typ, 0, len(n.kids)))
		if !flat {
			if n = n.kid(p.element().xml); n == nil {
				return nil // Name= alone: an empty list
			}
		}
		return d.list(p, n, v)
	case Map:
		v.Set(reflect.MakeMap(p.typ))
		if !flat {
			if n = n.kid("entry"); n == nil {
				return nil
			}
		}
		return d.mapping(p, n, v)
	}
	if !n.set {
		return nil
	}
	return setText(f, v, n.value, DateTime)
}

// element is the field of a list's elements.
func (p *plan) element() *field { return &p.fields[0] }

// flattened reports whether a list's or map's elements stand where the list would.
func (f *field) flattened() bool {
	return f.Member != nil && f.Flags&FlattenedMember != 0 || f.plan.shape.Flags&Flattened != 0
}

// numbered returns the kids that are numbers, in their order. Numbers may have holes, as AWS allows.
func (n *formNode) numbered() []*formNode {
	type item struct {
		at int
		*formNode
	}
	items := make([]item, 0, len(n.kids))
	for _, k := range n.kids {
		if at, err := strconv.Atoi(k.name); err == nil && at >= 0 {
			items = append(items, item{at, k})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return a.at - b.at })
	kids := make([]*formNode, len(items))
	for i := range items {
		kids[i] = items[i].formNode
	}
	return kids
}

func (d queryDecoder) list(p *plan, n *formNode, v reflect.Value) error {
	el := p.element()
	kids := n.numbered()
	v.Set(reflect.MakeSlice(p.typ, len(kids), len(kids)))
	for i, k := range kids {
		if err := d.value(el, k, el.target(v.Index(i))); err != nil {
			return err
		}
	}
	return nil
}

func (d queryDecoder) mapping(p *plan, n *formNode, v reflect.Value) error {
	kf, vf := &p.fields[0], &p.fields[1]
	for _, entry := range n.numbered() {
		key, val := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
		if k := entry.kid(kf.xml); k != nil {
			key.SetString(k.value)
		}
		if x := entry.kid(vf.xml); x != nil {
			if err := d.value(vf, x, vf.target(val)); err != nil {
				return err
			}
		}
		v.SetMapIndex(key, val)
	}
	return nil
}
