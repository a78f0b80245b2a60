// Package lambda emulates the Lambda API: it shows the functions that run elsewhere, invokes them, and feeds them from
// event sources. How a function runs is not its business: whoever runs them is handed to New as Functions.
package lambda

import (
	"context"
	"sync"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service lambda -operations operations.txt

// Functions are the functions that exist and can be invoked.
type Functions interface {
	// List returns every function, in order of name.
	List() []Function

	// Get returns one function, and whether there is one of that name.
	Get(name string) (Function, bool)

	// Invoke hands a function an event and waits for what it returns. An error is not the function's own failure but that
	// it was not run: a *wire.Error is passed on to the caller as it is.
	Invoke(ctx context.Context, name string, ev Event) (*Outcome, error)
}

// Function is a function as the API reports it.
type Function struct {
	Name, Runtime, Handler, Description, Role string
	Environment                               map[string]string
	Timeout                                   int32 // seconds
	Memory                                    int32 // MiB
	Image                                     bool  // a container image, and not code
	Architecture                              string
	LastModified                              time.Time
	Code                                      func() (sha256 string, size int64) // in base64; in bytes. It reads the function's files
	Active                                    bool                               // it can be invoked now
	StateReason                               string                             // why not
}

// Event is one invocation.
type Event struct {
	Payload       []byte // JSON
	ClientContext string // JSON
}

// Outcome is what a function made of an event.
type Outcome struct {
	Payload []byte // what it returned, or with Failed its error body
	Failed  bool
	LogTail []byte // the last 4 KiB that it logged
}

// Service is the emulator with what it keeps running.
type Service struct {
	kit.Env
	functions Functions

	stop    context.CancelFunc
	ctx     context.Context // ends with Close
	running sync.WaitGroup

	mu      sync.Mutex
	pollers map[string]*poller // by mapping's UUID
}

// New returns the Lambda emulator, and itself for Resume, Wake and Close. What it does in the background ends with ctx.
func New(ctx context.Context, env kit.Env, functions Functions) (*wire.Service, *Service) {
	s := &Service{Env: env, functions: functions, pollers: map[string]*poller{}}
	s.ctx, s.stop = context.WithCancel(ctx)
	return register(s), s
}

// Resume takes up what an earlier process left: enabled event source mappings, and asynchronous events that it had accepted.
func (s *Service) Resume() error {
	if err := s.resumeMappings(); err != nil {
		return err
	}
	return s.resumeEvents()
}

// Close stops polling and waits for the invocations under way to notice.
func (s *Service) Close() {
	s.mu.Lock() // what is being started is waited for
	s.stop()
	s.mu.Unlock()
	s.running.Wait()
}

// background runs f until Close, in the account, region and trace of ctx. After Close it does nothing: what f would do is
// stored, and the next process does it.
func (s *Service) background(ctx context.Context, f func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(s.ctx, cancel)
	s.running.Go(func() {
		defer cancel()
		defer stop()
		f(ctx)
	})
}
