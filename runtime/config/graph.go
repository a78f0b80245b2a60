package config

import (
	"fmt"
	"strings"
)

// Digraph is what `devstack graph` shows. It marshals to JSON.
type Digraph struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
}

// Node is a resource.
type Node struct {
	ID   string `json:"id"`   // "table.orders"
	Type string `json:"type"` // "table"
	Name string `json:"name"` // "orders"
}

// Edge says that one resource needs another.
type Edge struct {
	From string `json:"from"` // ID of the one that needs
	To   string `json:"to"`   // ID of what it needs
}

// Graph returns the stack's resources and which needs which, in the order of the file.
func Graph(s *Stack) *Digraph {
	g := &Digraph{Nodes: []Node{}, Edges: []Edge{}}
	for _, r := range s.Resources {
		b := r.Base()
		g.Nodes = append(g.Nodes, Node{b.ID.String(), b.ID.Type, b.ID.Name})
		for _, id := range b.Needs {
			g.Edges = append(g.Edges, Edge{b.ID.String(), id.String()})
		}
	}
	return g
}

// DOT returns the graph in the language of Graphviz.
func (g *Digraph) DOT() string {
	shapes := map[string]string{"table": "cylinder", "cache": "cylinder", "api": "house", "state_machine": "diamond"}
	var b strings.Builder
	b.WriteString("digraph stack {\n  rankdir = LR\n  node [shape = box]\n")
	for _, n := range g.Nodes {
		if shape := shapes[n.Type]; shape != "" {
			fmt.Fprintf(&b, "  %s [shape = %s]\n", dotQuote(n.ID), shape)
			continue
		}
		fmt.Fprintf(&b, "  %s\n", dotQuote(n.ID))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s\n", dotQuote(e.From), dotQuote(e.To))
	}
	b.WriteString("}\n")
	return b.String()
}

// dotQuote writes an ID; in DOT a quote is all that needs a backslash.
func dotQuote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
