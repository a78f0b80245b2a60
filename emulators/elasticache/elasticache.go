// Package elasticache emulates ElastiCache: clusters of one node, each a Redis of its own on its own port.
//
// The Redis is miniredis, in memory as a cache is: its contents do not outlive the process, its declaration does. Its clock
// is ours.
package elasticache

import (
	"context"
	"sync"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service elasticache -operations operations.txt

var clusters = store.NewTable[cluster]("clusters") // by account, region and id

// Service is the emulator with what it runs.
type Service struct {
	kit.Env
	declared sync.Mutex // held while a cluster is made or removed: its server and its declaration come and go together

	mu      sync.Mutex
	running map[string]*redis // by ARN
}

// New returns the ElastiCache emulator, and itself for Resume and Close.
func New(env kit.Env) (*wire.Service, *Service) {
	s := &Service{Env: env, running: map[string]*redis{}}
	return register(s), s
}

// Resume starts the servers of the clusters that an earlier process declared. Those that cannot start say so in their
// status; the others go on.
func (s *Service) Resume(context.Context) error {
	var all []cluster
	if err := s.Store.View(func(tx *store.Tx) error {
		for c := range clusters.All(tx) {
			all = append(all, c)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, c := range all {
		if err := s.start(&c); err != nil {
			s.Log.Warn("cache does not start", "cache", c.ID, "error", err)
		}
	}
	return nil
}

// Close stops every server.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for arn, r := range s.running {
		r.close()
		delete(s.running, arn)
	}
}

// start runs a cluster's server. On port 0 it takes a free one and sets it in c.
func (s *Service) start(c *cluster) error {
	r, err := startRedis(s.Clock, c.Port, c.AuthToken)
	if err != nil {
		return err
	}
	c.Port = r.port()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[c.ARN] = r
	return nil
}

func (s *Service) stop(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[arn]; r != nil {
		r.close()
		delete(s.running, arn)
	}
}

func (s *Service) isRunning(arn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[arn] != nil
}

// cluster is a cache cluster as it is stored.
type cluster struct {
	ID, ARN, Engine, EngineVersion, NodeType, Zone string
	Port                                           int
	AuthToken                                      string
	MaintenanceWindow                              string
	SubnetGroup                                    string
	SecurityGroups                                 []string
	KeepsVersion                                   bool // AutoMinorVersionUpgrade is false
	Created                                        time.Time
}
