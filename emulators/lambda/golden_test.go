package lambda

import (
	"log/slog"
	"testing"

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
		service, s := New(t.Context(), kit.Env{Store: st, Clock: c, AWS: &stream{}, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}, f)
		t.Cleanup(func() { s.Close(); st.Close() })
		return golden.Stage{Handler: wire.NewServer(wire.Config{Services: []*wire.Service{service}, NewID: kit.SeededIDs(2).UUID, Now: c.Now}), Advance: c.Advance}
	})
}
