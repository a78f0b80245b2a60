package lambda

import (
	"slices"

	"devstack/emulators/store"
)

// leftBehind reports whether something is kept of a function. The stack may have declared it, and does no more.
func leftBehind(tx *store.Tx, t target) bool {
	_, there := functions.Get(tx, t.key()...)
	_, reserved := reservations.Get(tx, t.key()...)
	there = there || reserved
	for range versions.All(tx, t.key()...) {
		there = true
		break
	}
	for range urls.All(tx, t.key()...) {
		there = true
		break
	}
	for range eventConfigs.All(tx, t.key()...) {
		there = true
		break
	}
	return there
}

// How a function is called goes with it: its URLs, its configurations of asynchronous invocation, and its concurrency. A URL outlives its
// alias, as recorded, and answers 403 from then on; an alias's other settings end with it.
func init() {
	forgetting = append(forgetting, func(tx *store.Tx, t target) {
		if t.Qualifier != "" {
			eventConfigs.Delete(tx, eventConfigKey(t)...)
			provisions.Delete(tx, t.key(t.Qualifier)...)
			return
		}
		for _, u := range slices.Collect(urls.All(tx, t.key()...)) {
			urlTargets.Delete(tx, u.ID)
		}
		urls.Clear(tx, t.key()...)
		eventConfigs.Clear(tx, t.key()...)
		provisions.Clear(tx, t.key()...)
		reservations.Delete(tx, t.key()...)
	})
}
