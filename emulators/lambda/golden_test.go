package lambda

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/golden"
)

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		st := store.New("", store.Options{Ephemeral: true})
		c := clock.Fixed(epoch)
		f := &scripted{answer: func(_ int, payload string) (*Outcome, error) { return &Outcome{Payload: []byte(payload)}, nil }}
		var g gate
		f.deploy = func(d Deployment) error {
			if d.Version == latest { // a published version is deployed by the call that needs it
				g.pass()
			}
			return nil
		}
		service, s := New(t.Context(), kit.Env{Store: st, Clock: c, AWS: &stream{}, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}, Options{Functions: f})
		t.Cleanup(func() { g.open(); s.Close(); st.Close() })
		advance := func(d time.Duration) {
			c.Advance(d)
			g.open()
			until(t, "end of the changes", func() bool { return !changing(t, s) })
			g.close()
		}
		return golden.Stage{Handler: wire.NewServer(wire.Config{Services: []*wire.Service{service}, NewID: kit.SeededIDs(2).UUID, Now: c.Now}), Advance: advance}
	})
}

// gate lets deployments through when a conversation's time goes on: until then functions are pending, as they are on AWS. It is closed
// at first.
type gate struct {
	mu     sync.Mutex
	opened bool
	moved  chan struct{}
}

func (g *gate) pass() {
	g.mu.Lock()
	if g.moved == nil {
		g.moved = make(chan struct{})
	}
	opened, moved := g.opened, g.moved
	g.mu.Unlock()
	if !opened {
		<-moved
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.moved != nil && !g.opened {
		close(g.moved)
	}
	g.opened = true
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened, g.moved = false, make(chan struct{})
}

// changing reports whether a function is being created or changed.
func changing(t *testing.T, s *Service) (yes bool) {
	t.Helper()
	err := s.Store.View(func(tx *store.Tx) error {
		yes = false
		for f := range functions.All(tx) {
			yes = yes || f.Latest != nil && f.Latest.busy()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return yes
}
