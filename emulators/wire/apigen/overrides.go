package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// applyOverrides corrects a model by a file of lines, each under a comment that names its source:
//
//	# https://docs.aws.amazon.com/…: table names have at least 3 characters
//	TableName smithy.api#length {"min": 3, "max": 255}
//	CreateTableInput.TableName -smithy.api#required
//	CreateTableInput.NewMember + String
//	RestoreTableInput.TargetName = String
//	NewList + list String
//	NewKind + enum ONE TWO
//	DescribeNew + operation DescribeNewInput DescribeNewOutput ResourceNotFoundException
//
// A line sets a trait of a shape or a member (its JSON value; {} if none is given), takes one away (-), gives a member another
// shape (=), or adds (+): a member of an existing shape, or a shape, which is a structure, a union, a list or a map (of existing shapes), an enum (of values),
// a simple type, or an operation of the service with its input, output and errors. Trait names are Smithy's, besides
// devstack's own:
//
//	Service devstack#errorNamespace "com.amazonaws.dynamodb.v20120810"   before the '#' of __type in errors
//	Service devstack#validationCode "InvalidParameterException"          of violated constraints
//	Service devstack#checkPrefix "Input"                                 in paths of violated constraints: createRestApiInput.name
//	Service devstack#hideValues                                          violated constraints show no values
//	Service devstack#crc32                                               answers carry X-Amz-Crc32
//	Operation devstack#newChecks                                         violated constraints: Value at 'TableName' …, enumerations last
//	Operation devstack#firstEnum                                         and of those the first alone
//	Shape devstack#boundsFirst                                           its length is reported before its pattern
//	Enum devstack#enumOrder ["B", "A"]                                   how messages list the values
//	Structure devstack#lastFirst                                         its members are checked from the last to the first
//	Shape devstack#goType "Thing"                                        a wire.Compact of the package that stands for it
//
// A missing file is no error.
func applyOverrides(m *model, path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := applyOverride(m, line); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return nil
}

func applyOverride(m *model, line string) error {
	target, change, ok := strings.Cut(line, " ")
	if !ok {
		return errors.New("want: Shape[.member] trait [JSON]")
	}
	change = strings.TrimSpace(change)
	ns, _, _ := strings.Cut(m.service, "#")
	shapeName, memberName, isMember := strings.Cut(target, ".")
	s := m.Shapes[ns+"#"+shapeName]
	if what, isNew := strings.CutPrefix(change, "+ "); isNew && !isMember {
		if s != nil {
			return fmt.Errorf("the model has a shape %s already", shapeName)
		}
		return addShape(m, ns, shapeName, strings.Fields(what))
	}
	if s == nil {
		return fmt.Errorf("the model has no shape %s", shapeName)
	}
	if typ, isNew := strings.CutPrefix(change, "+ "); isNew {
		if s.find(memberName) != nil {
			return fmt.Errorf("%s has a member %s already", shapeName, memberName)
		}
		id, err := m.find(ns, typ)
		if err != nil {
			return err
		}
		s.Members = append(s.Members, &member{Name: memberName, Target: id, Traits: traits{}})
		return nil
	}
	ts := &s.Traits
	if isMember {
		mem := s.find(memberName)
		if mem == nil {
			return fmt.Errorf("%s has no member %s", shapeName, memberName)
		}
		ts = &mem.Traits
	}
	if *ts == nil {
		*ts = traits{}
	}
	trait, value, _ := strings.Cut(change, " ")
	if trait == "=" && isMember {
		id, err := m.find(ns, strings.TrimSpace(value))
		if err != nil {
			return err
		}
		s.find(memberName).Target = id
		return nil
	}
	if gone, ok := strings.CutPrefix(trait, "-"); ok {
		if !ts.has(gone) {
			return fmt.Errorf("%s has no trait %s", target, gone)
		}
		delete(*ts, gone)
		return nil
	}
	if value = strings.TrimSpace(value); value == "" {
		value = "{}"
	}
	if !json.Valid([]byte(value)) {
		return fmt.Errorf("%s is not JSON", value)
	}
	(*ts)[trait] = json.RawMessage(value)
	return nil
}

// preludeTypes are the simple shapes that every model has.
var preludeTypes = []string{"String", "Blob", "Boolean", "Byte", "Short", "Integer", "Long", "Float", "Double", "BigInteger", "BigDecimal", "Timestamp", "Document"}

// find returns the id of a shape of the service, or of the prelude.
func (m *model) find(ns, name string) (string, error) {
	if id := ns + "#" + name; m.Shapes[id] != nil {
		return id, nil
	}
	if slices.Contains(preludeTypes, name) {
		return "smithy.api#" + name, nil
	}
	return "", fmt.Errorf("the model has no shape %s", name)
}

// addShape adds a shape of the kind words[0]; the other words are what it is made of.
func addShape(m *model, ns, name string, words []string) error {
	if len(words) == 0 {
		return errors.New("want: Shape + kind")
	}
	s := &shape{Type: words[0], Traits: traits{}}
	var refs []ref
	if s.Type != "enum" {
		for _, w := range words[1:] {
			id, err := m.find(ns, w)
			if err != nil {
				return err
			}
			refs = append(refs, ref{id})
		}
	}
	want := 0
	switch s.Type {
	case "structure", "union", "string", "integer", "long", "boolean", "double", "timestamp", "blob":
	case "enum":
		for _, v := range words[1:] {
			s.Members = append(s.Members, &member{Name: v, Target: "smithy.api#Unit", Traits: traits{}})
		}
	case "list":
		if want = 1; len(refs) == want {
			s.Member = &member{Target: refs[0].Target}
		}
	case "map":
		if want = 2; len(refs) == want {
			s.Key, s.Value = &member{Target: refs[0].Target}, &member{Target: refs[1].Target}
		}
	case "operation":
		if want = len(refs); want < 2 {
			return errors.New("want: Operation + operation Input Output [Error ...]")
		}
		s.Input, s.Output, s.Errors = &refs[0], &refs[1], refs[2:]
		service := m.Shapes[m.service]
		service.Operations = append(service.Operations, ref{ns + "#" + name})
	default:
		return fmt.Errorf("no kind of shape is called %s", s.Type)
	}
	if len(refs) != want {
		return fmt.Errorf("a %s is made of %d shapes, not %d", s.Type, want, len(refs))
	}
	m.Shapes[ns+"#"+name] = s
	return nil
}

// find returns a shape's member by name: a structure's, or a list's "member", a map's "key" and "value".
func (s *shape) find(name string) *member {
	switch {
	case s.Member != nil && name == "member":
		return s.Member
	case s.Key != nil && name == "key":
		return s.Key
	case s.Value != nil && name == "value":
		return s.Value
	}
	for _, m := range s.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}
