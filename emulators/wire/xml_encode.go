package wire

import (
	"reflect"
	"unicode/utf8"
)

// xmlEncoder writes Go values as XML by a plan, for Query, EC2 and REST answers.
type xmlEncoder struct {
	rest bool // members of the outermost structure that travel elsewhere are left out
}

// structure writes the members of a structure; the caller has written its element's start up to the attributes, which
// structure closes.
func (e xmlEncoder) structure(b []byte, p *plan, v reflect.Value) []byte {
	for i := range p.fields {
		f := &p.fields[i]
		if f.Flags&XMLAttribute == 0 {
			continue
		}
		if x, ok := f.given(v.Field(f.index)); ok {
			b = append(append(append(b, ' '), f.xml...), `="`...)
			b = append(appendXMLText(b, string(appendText(nil, f, x, DateTime))), '"')
		}
	}
	b = append(b, '>')
	for i := range p.fields {
		f := &p.fields[i]
		if e.rest && !f.inAnswerBody() || f.Flags&XMLAttribute != 0 {
			continue
		}
		if x, ok := f.given(v.Field(f.index)); ok {
			b = xmlEncoder{}.member(b, f, f.xml, x)
		}
	}
	return b
}

// member writes one value under a name.
func (e xmlEncoder) member(b []byte, f *field, name string, v reflect.Value) []byte {
	p := f.plan
	switch {
	case p.kind == List && f.flattened():
		el := p.element()
		return e.list(b, p, flatName(f, el, name), v)
	case p.kind == Map && f.flattened():
		return e.mapping(b, p, name, v)
	}
	b = e.open(b, f, name)
	switch p.kind {
	case Structure, Union:
		b = e.structure(b, p, v)
	case List:
		b = e.list(append(b, '>'), p, p.element().xml, v)
	case Map:
		b = e.mapping(append(b, '>'), p, "entry", v)
	case String:
		b = appendXMLText(append(b, '>'), v.String())
	default:
		b = appendText(append(b, '>'), f, v, DateTime)
	}
	return closeElement(b, name)
}

// flatName is the element of a flattened list: the member's; a botocore model has it at the list's element.
func flatName(f, el *field, name string) string {
	if f.plan.shape.Flags&Flattened != 0 && el.XMLName != "" {
		return el.XMLName
	}
	return name
}

func (e xmlEncoder) list(b []byte, p *plan, name string, v reflect.Value) []byte {
	el := p.element()
	for i := range v.Len() {
		x, ok := v.Index(i), true
		if el.ptr || el.sparse {
			x, ok = el.given(x)
		}
		if !ok {
			b = closeElement(append(e.open(b, el, name), '>'), name)
			continue
		}
		b = e.member(b, el, name, x)
	}
	return b
}

func (e xmlEncoder) mapping(b []byte, p *plan, name string, v reflect.Value) []byte {
	kf, vf := &p.fields[0], &p.fields[1]
	for _, k := range sortedKeys(v) {
		b = append(append(append(b, '<'), name...), '>')
		b = e.member(b, kf, kf.xml, k)
		x, ok := v.MapIndex(k), true
		if vf.ptr || vf.sparse {
			x, ok = vf.given(x)
		}
		if ok {
			b = e.member(b, vf, vf.xml, x)
		} else {
			b = closeElement(append(e.open(b, vf, vf.xml), '>'), vf.xml)
		}
		b = closeElement(b, name)
	}
	return b
}

// open writes an element's start without its closing bracket, with the namespace that it declares.
func (e xmlEncoder) open(b []byte, f *field, name string) []byte {
	b = append(append(b, '<'), name...)
	uri, prefix := "", ""
	if f.Member != nil {
		uri, prefix = f.XMLNamespace, f.XMLPrefix
	}
	if s := f.plan.shape; uri == "" && (f.plan.kind == Structure || f.plan.kind == Union) {
		uri, prefix = s.XMLNamespace, s.XMLPrefix
	}
	return appendNamespace(b, uri, prefix)
}

func appendNamespace(b []byte, uri, prefix string) []byte {
	if uri == "" {
		return b
	}
	b = append(b, " xmlns"...)
	if prefix != "" {
		b = append(append(b, ':'), prefix...)
	}
	b = append(b, `="`...)
	return append(appendXMLText(b, uri), '"')
}

func closeElement(b []byte, name string) []byte {
	return append(append(append(b, '<', '/'), name...), '>')
}

// appendXMLText writes text for an element or an attribute. What XML 1.0 cannot hold becomes U+FFFD.
func appendXMLText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if repl := xmlEscape(r, n); repl != "" {
			b = append(append(b, s[from:i]...), repl...)
			from = i + n
		}
		i += n
	}
	return append(b, s[from:]...)
}

func xmlEscape(r rune, size int) string {
	switch r {
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '&':
		return "&amp;"
	case '"':
		return "&quot;"
	case '\r':
		return "&#xD;"
	case '\n', '\t':
		return ""
	case utf8.RuneError:
		if size == 1 {
			return "\ufffd"
		}
		return ""
	case 0xfffe, 0xffff:
		return "\ufffd"
	}
	if r < ' ' {
		return "\ufffd"
	}
	return ""
}
