package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// applyOverrides corrects a model by a file of lines, each under a comment that names its source:
//
//	# https://docs.aws.amazon.com/…: table names have at least 3 characters
//	TableName smithy.api#length {"min": 3, "max": 255}
//	CreateTableInput.TableName -smithy.api#required
//	CreateTableInput.NewMember + String
//
// A line sets a trait of a shape or a member (its JSON value; {} if none is given), takes one away (-), or adds a member of
// an existing shape (+). A missing file is no error.
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
	if s == nil {
		return fmt.Errorf("the model has no shape %s", shapeName)
	}
	if typ, isNew := strings.CutPrefix(change, "+ "); isNew {
		id := ns + "#" + typ
		if m.Shapes[id] == nil {
			id = "smithy.api#" + typ
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
