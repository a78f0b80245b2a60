package iam

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// object is a JSON object with its members in the order of the text.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool or nil
}

// member returns a member's value, and whether there is one of that name.
func (o object) member(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// deepest is how many values may be inside one another; a policy needs six.
const deepest = 32

// errNoPolicy says that a text is no JSON object that could be a policy. Callers have AWS's words for it.
var errNoPolicy = errors.New("no policy")

// parse reads a document: one JSON object, in which no object has two members of a name.
func parse(document string) (object, error) {
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if _, err := d.Token(); !ok || err != io.EOF {
		return nil, errNoPolicy
	}
	return o, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth == deepest {
		return nil, errNoPolicy
	}
	switch t {
	case json.Delim('{'):
		return parseObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

func parseObject(d *json.Decoder, depth int) (object, error) {
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := o.member(name.(string)); twice {
			return nil, errNoPolicy
		}
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name.(string), v})
	}
	_, err := d.Token()
	return o, err
}

// texts are the strings of a member that is one or a list of them; ok is false for anything else.
func texts(v any) (list []string, ok bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, s)
		}
		return list, true
	}
	return nil, false
}
