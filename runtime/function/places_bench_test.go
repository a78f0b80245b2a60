package function

import (
	"testing"

	"devstack/runtime/config"
)

// BenchmarkPlaces is what a sandbox's own folders and environment cost at its start and end.
func BenchmarkPlaces(b *testing.B) {
	fn := &config.Function{Name: "f", Runtime: "python3.12", Source: b.TempDir()}
	keep, err := temporary.make() // as a daemon with another sandbox
	if err != nil {
		b.Fatal(err)
	}
	defer temporary.remove(keep)
	for b.Loop() {
		p, err := place(fn)
		if err != nil {
			b.Fatal(err)
		}
		environment(fn, nil, "stream", p, false)
		p.overfull(fn)
		p.remove()
	}
}
