package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// model is a Smithy JSON AST, cut down to what the generator reads.
type model struct {
	Shapes  map[string]*shape
	service string // id of the service shape
}

type shape struct {
	Type       string
	Traits     traits
	Members    members
	Member     *member // list
	Key, Value *member // map
	Input      *ref    // operation
	Output     *ref
	Errors     []ref
	Operations []ref // service, resource
	Resources  []ref
	Version    string
	Collection []ref `json:"collectionOperations"`
	Create     *ref
	Read       *ref
	Update     *ref
	Delete     *ref
	Put        *ref
	List       *ref
}

type ref struct{ Target string }

type member struct {
	Name   string `json:"-"`
	Target string
	Traits traits
}

// traits are kept raw: each is read where it is used.
type traits map[string]json.RawMessage

func (t traits) has(name string) bool { _, ok := t[name]; return ok }

// text returns a trait whose value is a string, "" if there is none.
func (t traits) text(name string) string {
	var s string
	if raw, ok := t[name]; ok {
		_ = json.Unmarshal(raw, &s)
	}
	return s
}

// into decodes a trait and reports whether there is one.
func (t traits) into(name string, v any) bool {
	raw, ok := t[name]
	if ok {
		if err := json.Unmarshal(raw, v); err != nil {
			panic(fmt.Sprintf("trait %s: %v", name, err))
		}
	}
	return ok
}

// members keep the order of the file, which is the order of AWS's own messages and answers.
type members []*member

// UnmarshalJSON reads the object member by member.
func (ms *members) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := &member{Name: name.(string)}
		if err := d.Decode(m); err != nil {
			return err
		}
		*ms = append(*ms, m)
	}
	return nil
}

func readModel(path string) (*model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &model{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for id, s := range m.Shapes {
		if s.Type == "service" {
			m.service = id
		}
	}
	if m.service == "" {
		return nil, fmt.Errorf("%s: no service shape", path)
	}
	return m, nil
}

// onlyJSON tells whether all that the service speaks is AWS's JSON.
func (m *model) onlyJSON() bool {
	for _, p := range protocols {
		if m.shape(m.service).Traits.has(p.trait) && !strings.HasPrefix(p.constant, "wire.AWSJSON") {
			return false
		}
	}
	return true
}

// operations returns the ids of all operations of the service, its resources' included.
func (m *model) operations() []string {
	seen := map[string]bool{}
	var ids []string
	add := func(refs ...ref) {
		for _, r := range refs {
			if !seen[r.Target] {
				seen[r.Target] = true
				ids = append(ids, r.Target)
			}
		}
	}
	var walk func(id string)
	walk = func(id string) {
		s := m.Shapes[id]
		add(s.Operations...)
		add(s.Collection...)
		for _, r := range []*ref{s.Create, s.Read, s.Update, s.Delete, s.Put, s.List} {
			if r != nil {
				add(*r)
			}
		}
		for _, r := range s.Resources {
			walk(r.Target)
		}
	}
	walk(m.service)
	return ids
}

// shape returns a shape by id. Those of Smithy's prelude ("smithy.api#String") are made up as needed.
func (m *model) shape(id string) *shape {
	if s, ok := m.Shapes[id]; ok {
		return s
	}
	if ns, name, _ := strings.Cut(id, "#"); ns == "smithy.api" {
		typ := strings.ToLower(strings.TrimPrefix(name, "Primitive"))
		switch name {
		case "Unit":
			typ = "structure"
		case "BigInteger":
			typ = "bigInteger"
		case "BigDecimal":
			typ = "bigDecimal"
		}
		s := &shape{Type: typ}
		m.Shapes[id] = s
		return s
	}
	panic("no shape " + id)
}

// name is a shape's name without its namespace.
func name(id string) string {
	_, n, _ := strings.Cut(id, "#")
	return n
}
