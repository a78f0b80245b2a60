package logs

import (
	"testing"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
	"devstack/internal/golden"
)

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		s, c := open(t)
		return golden.Stage{Handler: wire.NewServer(wire.Config{Services: []*wire.Service{register(s)}, NewID: kit.SeededIDs(2).UUID, Now: c.Now}), Advance: c.Advance}
	})
}
