package apigateway

import (
	"testing"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
	"devstack/internal/golden"
)

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		s := open(t, nil)
		return golden.Stage{Handler: wire.NewServer(wire.Config{Services: []*wire.Service{register(s)}, NewID: kit.SeededIDs(2).UUID, Now: s.Clock.Now})}
	})
}
