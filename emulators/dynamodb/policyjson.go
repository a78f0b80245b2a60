package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// A policy document is JSON whose members keep their order: what AWS returns of it has that of the request where it has
// none of its own.
type (
	policyObject []policyMember
	policyList   []policyValue

	policyMember struct {
		name  string
		value policyValue
	}

	// policyValue is a policyObject, a policyList, a string, a json.Number, a bool or nil, and where it ends.
	policyValue struct {
		end int
		any
	}
)

var (
	errPolicyJSON   = errors.New("no JSON object with distinct names")
	errPolicyScalar = errors.New("neither a JSON object nor a list")
)

// parsePolicyJSON reads a document, which must be one object.
func parsePolicyJSON(text string) (policyObject, error) {
	if !json.Valid([]byte(text)) {
		return nil, errPolicyJSON
	}
	p := policyParser{json.NewDecoder(strings.NewReader(text))}
	p.dec.UseNumber()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	switch o := v.any.(type) {
	case policyObject:
		return o, nil
	case policyList:
		return nil, errPolicyJSON
	}
	return nil, errPolicyScalar
}

type policyParser struct{ dec *json.Decoder }

// value reads the next value.
func (p *policyParser) value() (policyValue, error) {
	token, err := p.dec.Token()
	if err != nil {
		return policyValue{}, errPolicyJSON
	}
	v := policyValue{any: token}
	switch token {
	case json.Delim('{'):
		v.any, err = p.object()
	case json.Delim('['):
		v.any, err = p.list()
	}
	v.end = int(p.dec.InputOffset())
	return v, err
}

func (p *policyParser) object() (o policyObject, err error) {
	for p.dec.More() {
		token, err := p.dec.Token()
		name, ok := token.(string)
		if err != nil || !ok || o.get(name) != nil {
			return nil, errPolicyJSON
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		o = append(o, policyMember{name, v})
	}
	return o, p.end()
}

func (p *policyParser) list() (l policyList, err error) {
	for p.dec.More() {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	return l, p.end()
}

func (p *policyParser) end() error {
	if _, err := p.dec.Token(); err != nil {
		return errPolicyJSON
	}
	return nil
}

// get finds a member's value, nil if there is none.
func (o policyObject) get(name string) *policyValue {
	i := slices.IndexFunc(o, func(m policyMember) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return &o[i].value
}

// texts returns the texts of a value that is a text or a list of texts.
func (v policyValue) texts() ([]string, bool) {
	switch x := v.any.(type) {
	case string:
		return []string{x}, true
	case policyList:
		all := make([]string, len(x))
		for i, e := range x {
			s, ok := e.any.(string)
			if !ok {
				return nil, false
			}
			all[i] = s
		}
		return all, true
	}
	return nil, false
}

// appendTo writes a value without blanks, and a list of one as the one.
func (v policyValue) appendTo(b []byte) []byte {
	switch x := v.any.(type) {
	case policyObject:
		b = append(b, '{')
		for i, m := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendPolicyText(b, m.name), ':')
			b = m.value.appendTo(b)
		}
		return append(b, '}')
	case policyList:
		if len(x) == 1 {
			return x[0].appendTo(b)
		}
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendTo(b)
		}
		return append(b, ']')
	case string:
		return appendPolicyText(b, x)
	}
	text, _ := json.Marshal(v.any) // a number, true, false or null
	return append(b, text...)
}

func appendPolicyText(b []byte, s string) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
