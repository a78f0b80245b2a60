// Package lambda emulates the Lambda API: functions with their code, versions, aliases and layers, invocations, and event sources
// that feed them. How a function runs is not its business: whoever runs them is handed to New as Functions.
package lambda

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service lambda -operations operations.txt

// Functions is who runs functions. Two kinds are the same to every caller of the API: those that a stack declares, whose code is
// the files that are being edited, and those that were made by the API, of which every version is deployed before it is invoked.
type Functions interface {
	// List returns the functions that the stack declares in an account and region, in order of name.
	List(account, region string) []Function

	// Get returns one of them, and whether there is one of that name.
	Get(account, region, name string) (Function, bool)

	// Deploy makes a version runnable, in place of what was deployed under its key, and returns once it has been built and, where
	// that costs little, started. A mistake in the function's own code is no error: its callers are told. An error is what keeps the
	// version from running here, in words for who deployed it.
	Deploy(ctx context.Context, d Deployment) error

	// Withdraw ends a deployed version. Events that it is handling are cut off. A key that is not deployed is nothing to do.
	Withdraw(key string)

	// Freeze copies a declared function as it runs now into an empty folder. An error that is its developer's to mend has a method
	// Frozen().
	Freeze(ctx context.Context, account, region, name, dir string) (Frozen, error)

	// Invoke hands a declared or deployed version an event and waits for what it returns. An error is not the function's own failure but
	// that it was not run: a *wire.Error is passed on to the caller as it is.
	Invoke(ctx context.Context, key string, ev Event) (*Outcome, error)
}

// Function is a declared function as the API reports it.
type Function struct {
	Name, Runtime, Handler, Description, Role string
	Environment                               map[string]string
	Timeout                                   int32 // seconds
	Memory                                    int32 // MiB
	Image                                     bool  // a container image, and not code
	Architecture                              string
	LastModified                              time.Time
	Code                                      func() (sha256 string, size int64) // in base64; in bytes. It reads the function's files
	Storage                                   int32                              // MiB of /tmp; 0: 512
	Log                                       *LoggingConfig                     // nil: text in the function's own group
	Tracing                                   string                             // "PassThrough", "Active"; "" is the first
	ImageConfig                               *ImageConfig                       // nil: the image's own
	Active                                    bool                               // it can be invoked now
	StateReason                               string                             // why not
}

// Frozen is a copy of a declared function. Its paths are within the folder that it was copied to, with slashes.
type Frozen struct {
	Source string   // file or folder that runs; "." is all of it
	Layers []string // folders that are its layers
}

// Deployment is a version of a function that was made by the API, as it is to run.
type Deployment struct {
	Key                            string // unique: the ARN of the version, without a qualifier for $LATEST
	Account, Region, Name, Version string // "$LATEST", "3"
	Runtime, Handler               string // "" for an image
	Code                           string // folder with the extracted archive, or file or folder in it; "" for an image
	Image                          string // reference of a container image, "" for code
	EntryPoint, Command            []string
	WorkingDirectory               string
	Layers                         []string // folders whose contents are under /opt, a later one over an earlier
	Environment                    map[string]string
	Timeout                        int    // seconds
	Memory                         int    // MiB
	EphemeralStorage               int    // MiB of /tmp
	LogFormat                      string // "Text", "JSON"
	ApplicationLogLevel            string // "" with Text
	SystemLogLevel                 string
	Tracing                        string // "PassThrough", "Active"
	LogGroup                       string
}

// Event is one invocation.
type Event struct {
	Payload       []byte // JSON
	ClientContext string // JSON
	ARN           string // by which the function was called, with the qualifier
	Stream        Stream // takes the response of a function that streams it; nil: it is collected
}

// Stream takes a response piece by piece. A function that does not stream leaves it alone, and the Outcome has its response; of one
// that does the Outcome has nothing, or with Failed the error that cut the stream short.
type Stream interface {
	// Begin is called once, before the first byte. contentType is the response's; that of HTTP integrations says that a prelude comes
	// first, see prelude.go.
	Begin(contentType string)

	// Write waits while the reader is slow. After an error, which says that the reader is gone, the rest may be dropped.
	Write(b []byte) (int, error)
}

// Outcome is what a function made of an event.
type Outcome struct {
	Payload []byte // what it returned, or with Failed its error body
	Failed  bool
	Fault   string // of one that could not be built or loaded: why, in one line, with file and line
	LogTail []byte // the last 4 KiB that it logged
}

// Options is what a Service works with besides what every emulator is given.
type Options struct {
	Functions Functions
	Dir       string // where archives of code are kept, which need not exist; "" is a temporary folder
	Sync      bool   // archives are on the disk before they are acknowledged
}

// Service is the emulator with what it keeps running.
type Service struct {
	kit.Env
	functions Functions
	archives  *archives
	roll      func() float64 // at least 0 and less than 1: where an alias leads

	concurrency concurrency
	workers     workers
	told        sync.Map     // services that could not be delivered to, as the operator was told once
	port        atomic.Int64 // at which function URLs answer, 0 if nobody has said

	stop    context.CancelFunc
	ctx     context.Context // ends with Close
	running sync.WaitGroup

	mu       sync.Mutex
	pollers  map[string]*poller     // by mapping's UUID
	deployed map[string]*deployment // by key
}

// New returns the Lambda emulator, and itself for Resume, Wake and Close. What it does in the background ends with ctx.
func New(ctx context.Context, env kit.Env, o Options) (*wire.Service, *Service) {
	s := &Service{
		Env: env, functions: o.Functions, archives: newArchives(o.Dir, o.Sync), roll: rand.Float64,
		pollers: map[string]*poller{}, deployed: map[string]*deployment{}, workers: workers{calls: make(chan func())},
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	return register(s), s
}

// Resume takes up what an earlier process left: functions that were being changed, enabled event source mappings, provisioned
// concurrency, and asynchronous events that it had accepted.
func (s *Service) Resume() error {
	if err := s.resumeFunctions(); err != nil {
		return err
	}
	if err := s.resumeMappings(); err != nil {
		return err
	}
	if err := s.resumeProvisions(); err != nil {
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
	s.archives.close()
}

// errClosed says that the daemon is ending.
var errClosed = errors.New("lambda: closed")

// background runs f until Close, in the account, region and trace of ctx, and reports whether it does. After Close it does not: what f
// would do is stored, and the next process does it.
func (s *Service) background(ctx context.Context, f func(ctx context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(s.ctx, cancel)
	s.running.Go(func() {
		defer cancel()
		defer stop()
		f(ctx)
	})
	return true
}
