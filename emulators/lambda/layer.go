package lambda

import (
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxLayers is how many layers a function has at most.
const maxLayers = 5

// checkLayers refuses layers that are not there, and code that is too large together with its layers.
func (s *Service) checkLayers(_ *store.Tx, _ target, v *version) error {
	if len(v.Layers) > 0 {
		return wire.NotImplemented("lambda: layers are not emulated")
	}
	return nil
}
