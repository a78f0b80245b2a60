package wire

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Stats counts what a server was asked since it began.
type Stats struct {
	Services []ServiceStats // in the order of their names
}

// ServiceStats counts one service's operations.
type ServiceStats struct {
	Service        string
	Implemented    int               // operations that we do
	Operations     int               // that AWS has
	Calls          map[string]uint64 // by operation; over HTTP and in process
	NotImplemented map[string]uint64 // known operations that were asked for and that we do not do
	Unknown        map[string]uint64 // operations that the service's model does not have
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	var st Stats
	for _, svc := range s.services {
		one := ServiceStats{Service: svc.Model.Service, Operations: len(svc.Model.Operations), Implemented: len(svc.handlers),
			Calls: map[string]uint64{}, NotImplemented: map[string]uint64{}, Unknown: svc.unknown.copy()}
		for name, op := range svc.lookups().operations {
			if n := op.calls.Load(); n > 0 {
				one.Calls[name] = n
			}
			if n := op.refused.Load(); n > 0 {
				one.NotImplemented[name] = n
			}
		}
		st.Services = append(st.Services, one)
	}
	slices.SortFunc(st.Services, func(a, b ServiceStats) int { return strings.Compare(a.Service, b.Service) })
	return st
}

// unknowns counts operations by names that clients made up, so their number is bounded.
type unknowns struct {
	mu sync.Mutex
	n  map[string]uint64
}

const (
	maxUnknowns    = 100
	maxUnknownName = 100
)

func (u *unknowns) add(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n == nil {
		u.n = map[string]uint64{}
	}
	if len(name) > maxUnknownName {
		name = name[:maxUnknownName]
	}
	if _, ok := u.n[name]; !ok && len(u.n) >= maxUnknowns {
		name = "…" // the rest together
	}
	u.n[name]++
}

func (u *unknowns) copy() map[string]uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := maps.Clone(u.n)
	if c == nil {
		c = map[string]uint64{}
	}
	return c
}
