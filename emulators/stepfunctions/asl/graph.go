package asl

import "strconv"

// edge is a transition and the place of the field that names it.
type edge struct {
	target, at string
}

// edges are a state's transitions.
func (s *State) edges(at string) []edge {
	var out []edge
	if s.Next != "" {
		out = append(out, edge{s.Next, at + "/Next"})
	}
	for i, r := range s.Rules {
		out = append(out, edge{r.Next, at + "/Choices[" + strconv.Itoa(i) + "]/Next"})
	}
	if s.Default != "" {
		out = append(out, edge{s.Default, at + "/Default"})
	}
	for i, k := range s.Catch {
		out = append(out, edge{k.Next, at + "/Catch[" + strconv.Itoa(i) + "]/Next"})
	}
	return out
}

// terminal reports whether an execution may end in the state.
func (s *State) terminal() bool { return s.Next == "" && s.Type != Choice }

// graph checks that every transition has a target, that an end can be reached at all, and that every state can. The
// answers and their order are AWS's, as reported in https://github.com/floci-io/floci/pull/2786 and
// https://github.com/localstack/localstack/issues/11978; whether AWS looks into branches after such a fault is a guess.
func (c *compiler) graph(m *Machine, at string) {
	if m.States[m.StartAt] == nil {
		c.report(MissingTransition, at+"/StartAt", "Missing 'Next' target: %s", m.StartAt)
	}
	ends := false
	for _, name := range m.order {
		s := m.States[name]
		for _, e := range s.edges(at + "/States/" + name) {
			if m.States[e.target] == nil {
				c.report(MissingTransition, e.at, "Missing 'Next' target: %s", e.target)
			}
		}
		ends = ends || s.terminal()
	}
	if !ends {
		c.diags = append(c.diags, Diagnostic{Code: MissingEnd, Message: "Workflow has no terminal state"})
		return
	}
	reached := map[string]bool{}
	m.reach(m.StartAt, reached)
	for _, name := range m.order {
		if !reached[name] {
			c.report(MissingTransition, at+"/States/"+name, "State \"%s\" is not reachable.", name)
		}
	}
	for _, name := range m.order {
		c.inner(m.States[name], at+"/States/"+name)
	}
}

func (c *compiler) inner(s *State, at string) {
	for i, b := range s.Branches {
		c.graph(b, at+"/Branches["+strconv.Itoa(i)+"]")
	}
	if s.Processor != nil {
		c.graph(s.Processor, at+"/ItemProcessor")
	}
}

// reach marks what can be reached from a state.
func (m *Machine) reach(from string, reached map[string]bool) {
	for todo := []string{from}; len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s := m.States[name]
		if s == nil || reached[name] {
			continue
		}
		reached[name] = true
		for _, e := range s.edges("") {
			todo = append(todo, e.target)
		}
	}
}
