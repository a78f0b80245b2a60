package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
)

// xmlNode is an element of a request's document. Documents of requests are small, so they are read whole and then walked by
// the plan.
type xmlNode struct {
	name  string // with its prefix resolved away
	attrs []xml.Attr
	text  string
	kids  []*xmlNode
}

// errMalformedXML has S3's code and words, which other REST-XML services share.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func errMalformedXML() *Error {
	return Errorf("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema")
}

// parseXML reads a document. encoding/xml knows no external entities, so none are fetched.
func parseXML(b []byte) (*xmlNode, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	root := &xmlNode{}
	stack := []*xmlNode{root}
	var text []*strings.Builder
	text = append(text, &strings.Builder{})
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errMalformedXML()
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return nil, errTooDeep()
			}
			n := &xmlNode{name: t.Name.Local, attrs: t.Attr}
			top.kids = append(top.kids, n)
			stack, text = append(stack, n), append(text, &strings.Builder{})
		case xml.EndElement:
			top.text = text[len(text)-1].String()
			stack, text = stack[:len(stack)-1], text[:len(text)-1]
		case xml.CharData:
			text[len(text)-1].Write(t)
		}
	}
	if len(root.kids) != 1 {
		return nil, errMalformedXML()
	}
	return root.kids[0], nil
}

// decodeXML decodes a document into v. The root's name is not looked at, as AWS does not.
func decodeXML(b []byte, f *field, v reflect.Value) error {
	n, err := parseXML(b)
	if err != nil {
		return err
	}
	if f.Member == nil {
		return xmlStructure(f.plan, n, v, true)
	}
	return xmlValue(f, n, v)
}

// xmlStructure decodes a structure. Of a whole body's, members that travel elsewhere are not looked for.
func xmlStructure(p *plan, n *xmlNode, v reflect.Value, rest bool) error {
	for i := range p.fields {
		f := &p.fields[i]
		if rest && f.Location != InBody {
			continue
		}
		if err := xmlMember(f, n, v.Field(f.index)); err != nil {
			return err
		}
	}
	return nil
}

func xmlMember(f *field, n *xmlNode, v reflect.Value) error {
	if f.Flags&XMLAttribute != 0 {
		for _, a := range n.attrs {
			_, local, _ := strings.Cut(f.xml, ":")
			if a.Name.Local == f.xml || a.Name.Local == local {
				return setText(f, f.target(v), a.Value, DateTime)
			}
		}
		return nil
	}
	if f.flattened() && (f.plan.kind == List || f.plan.kind == Map) {
		name := f.xml
		if f.plan.kind == List {
			name = flatName(f, f.plan.element(), name)
		}
		kids := n.named(name)
		if len(kids) == 0 {
			return nil
		}
		return xmlElements(f.plan, kids, v)
	}
	for _, k := range n.kids {
		if k.name == f.xml {
			return xmlValue(f, k, f.target(v))
		}
	}
	return nil
}

func (n *xmlNode) named(name string) []*xmlNode {
	var kids []*xmlNode
	for _, k := range n.kids {
		if k.name == name {
			kids = append(kids, k)
		}
	}
	return kids
}

func xmlValue(f *field, n *xmlNode, v reflect.Value) error {
	p := f.plan
	switch p.kind {
	case Structure, Union:
		return xmlStructure(p, n, v, false)
	case List:
		return xmlElements(p, n.named(p.element().xml), v)
	case Map:
		return xmlElements(p, n.named("entry"), v)
	case String:
		v.SetString(n.text)
		return nil
	}
	return setText(f, v, strings.TrimSpace(n.text), DateTime)
}

// xmlElements decodes the elements of a list or the entries of a map.
func xmlElements(p *plan, kids []*xmlNode, v reflect.Value) error {
	if p.kind == List {
		el := p.element()
		v.Set(reflect.MakeSlice(p.typ, len(kids), len(kids)))
		for i, k := range kids {
			if err := xmlValue(el, k, el.target(v.Index(i))); err != nil {
				return err
			}
		}
		return nil
	}
	kf, vf := &p.fields[0], &p.fields[1]
	v.Set(reflect.MakeMap(p.typ))
	for _, entry := range kids {
		key, val := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
		for _, k := range entry.kids {
			switch k.name {
			case kf.xml:
				key.SetString(k.text)
			case vf.xml:
				if err := xmlValue(vf, k, vf.target(val)); err != nil {
					return err
				}
			}
		}
		v.SetMapIndex(key, val)
	}
	return nil
}
