//go:build !race

package functiontest

// detector says that the race detector slows everything down.
const detector = false
