package main

import (
	"sync"

	"devstack/emulators/wire"
	"devstack/runtime/function/js"
)

// schema shows the models of AWS to the SDK clients of the js runtime.
type schema struct {
	model func(service string) *wire.Model

	mu    sync.Mutex
	types map[string]*js.Type // by service and shape's name; nil: a shape without blobs and timestamps
}

func newSchema(model func(string) *wire.Model) *schema {
	return &schema{model: model, types: map[string]*js.Type{}}
}

// Operations returns the names of a service's operations.
func (s *schema) Operations(service string) []string {
	m := s.model(service)
	if m == nil {
		return nil
	}
	names := make([]string, len(m.Operations))
	for i := range m.Operations {
		names[i] = m.Operations[i].Name
	}
	return names
}

// Errors returns the names of a service's errors.
func (s *schema) Errors(service string) []string {
	m := s.model(service)
	if m == nil {
		return nil
	}
	var names []string
	for i := range m.Shapes {
		if m.Shapes[i].ErrorStatus != 0 {
			names = append(names, m.Shapes[i].Name)
		}
	}
	return names
}

// Enums returns the values of a service's enumerations.
func (s *schema) Enums(service string) map[string][]string {
	m := s.model(service)
	if m == nil {
		return nil
	}
	enums := map[string][]string{}
	for i := range m.Shapes {
		if len(m.Shapes[i].Enum) > 0 {
			enums[m.Shapes[i].Name] = m.Shapes[i].Enum
		}
	}
	return enums
}

// Types returns where an operation's input and output have blobs and timestamps.
func (s *schema) Types(service, operation string) (in, out *js.Type) {
	m := s.model(service)
	if m == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range m.Operations {
		if op := &m.Operations[i]; op.Name == operation && op.Input >= 0 {
			has := binaryShapes(m)
			return s.typeOf(m, op.Input, has), s.typeOf(m, op.Output, has)
		}
	}
	return nil, nil
}

// ErrorType returns where an error's structure has blobs and timestamps.
func (s *schema) ErrorType(service, name string) *js.Type {
	m := s.model(service)
	if m == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range m.Shapes {
		if m.Shapes[i].ErrorStatus != 0 && m.Shapes[i].Name == name {
			return s.typeOf(m, i, binaryShapes(m))
		}
	}
	return nil
}

// typeOf makes the Type of a shape. A recursive shape's Type refers to itself, so it is remembered before it is filled.
func (s *schema) typeOf(m *wire.Model, shape int, has []bool) *js.Type {
	if !has[shape] {
		return nil
	}
	sh := &m.Shapes[shape]
	key := m.Service + "." + sh.Name
	if t := s.types[key]; t != nil {
		return t
	}
	t := &js.Type{}
	s.types[key] = t
	switch sh.Kind {
	case wire.Blob:
		t.Blob = true
	case wire.Timestamp:
		t.Timestamp = true
	case wire.List:
		t.Element = s.typeOf(m, sh.Members[0].Shape, has)
	case wire.Map:
		t.Element = s.typeOf(m, sh.Members[1].Shape, has)
	case wire.Structure, wire.Union:
		t.Members = map[string]*js.Type{}
		for _, member := range sh.Members {
			if inner := s.typeOf(m, member.Shape, has); inner != nil {
				t.Members[member.Name] = inner
			}
		}
	}
	return t
}

// binaryShapes marks the shapes that are or contain a blob or a timestamp.
func binaryShapes(m *wire.Model) []bool {
	has := make([]bool, len(m.Shapes))
	for changed := true; changed; {
		changed = false
		for i := range m.Shapes {
			if has[i] {
				continue
			}
			sh := &m.Shapes[i]
			found := sh.Kind == wire.Blob || sh.Kind == wire.Timestamp
			for _, member := range sh.Members {
				found = found || has[member.Shape]
			}
			has[i], changed = found, changed || found
		}
	}
	return has
}
