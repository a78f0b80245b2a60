package iam

import (
	"log/slog"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/golden"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// open returns a service in an empty account, and a server in front of it.
func open(t *testing.T) (*service, *wire.Server, *clock.Moving) {
	t.Helper()
	st := store.New("", store.Options{Ephemeral: true})
	t.Cleanup(func() { st.Close() })
	c := clock.Fixed(epoch)
	s := &service{kit.Env{Store: st, Clock: c, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}}
	return s, wire.NewServer(wire.Config{Services: []*wire.Service{register(s)}, NewID: kit.SeededIDs(2).UUID, Now: c.Now}), c
}

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		_, server, c := open(t)
		return golden.Stage{Handler: server, Advance: c.Advance}
	})
}
