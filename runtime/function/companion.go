package function

import (
	"context"
	"sync"
)

// Companion is what lives beside the runtime in a sandbox, and hears of all that happens in it: its extensions. Whoever starts
// a sandbox with some gives it to Join.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
type Companion interface {
	// Any reports whether there are any: until then, and if there never are, only Observe is called.
	Any() bool

	// Observe is told each Record in order. It does not wait, and does not call back.
	Observe(Record)

	// Begin says that the runtime is about to be handed an event.
	Begin(*Event)

	// Settled is closed once all of them have asked for their next event since Begin.
	Settled() <-chan struct{}

	// Life ends when one of them fails: its cause is then an *ExtensionError. The sandbox is of no further use.
	Life() context.Context

	// Shutdown ends the runtime and then them, and gives each the time that AWS gives it. reason is "spindown", "timeout" or
	// "failure". It may be called more than once.
	Shutdown(reason string)
}

// ExtensionError says that an extension failed.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html (Extension.Crash, Extension.LaunchError)
type ExtensionError struct{ Type, Message string }

// Error returns type and message.
func (e *ExtensionError) Error() string { return e.Type + ": " + e.Message }

// Joint is how a Companion speaks to whoever runs the sandbox. A nil Joint drops what it is told.
type Joint struct{ s *sandbox }

// Tell puts a platform event into the function's log, and tells it the Companion as well.
func (j *Joint) Tell(typ string, record any) {
	if j != nil {
		j.s.tell("", typ, record)
	}
}

// Print puts a line that an extension printed into the function's log, and tells it the Companion as well.
func (j *Joint) Print(text string) {
	if j != nil {
		j.s.print("extension", "", text)
	}
}

type joinKey struct{}

// Join gives the sandbox that is being started under ctx its Companion. What has happened to it until now is told at once. It
// returns nil if nobody wants to know, as in a test that starts a sandbox by itself.
func Join(ctx context.Context, c Companion) *Joint {
	s, ok := ctx.Value(joinKey{}).(*sandbox)
	if !ok {
		return nil
	}
	s.beside.join(c)
	return &Joint{s}
}

// beside is a sandbox's Companion, and what happened before there was one.
type beside struct {
	mu        sync.Mutex
	companion Companion
	early     []Record
	started   bool
}

// maxEarly bounds what is kept for a Companion that may come.
const maxEarly = 1000

func (b *beside) join(c Companion) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.companion = c
	for _, r := range b.early {
		c.Observe(r)
	}
	b.early = nil
}

// get returns the Companion, nil if there is none or it has nobody.
func (b *beside) get() Companion {
	b.mu.Lock()
	c := b.companion
	b.mu.Unlock()
	if c == nil || !c.Any() {
		return nil
	}
	return c
}

// observe passes a record on.
func (b *beside) observe(r Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.companion != nil:
		b.companion.Observe(r)
	case !b.started && len(b.early) < maxEarly:
		b.early = append(b.early, r)
	}
}

// over says that the sandbox has been started: no Companion comes any more.
func (b *beside) over() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started, b.early = true, nil
}
