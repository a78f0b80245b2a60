// Package config reads stack.hcl: the typed Stack, the graph of references between its blocks, and diagnostics that name
// file, line and the likely spelling.
package config

import (
	"reflect"
	"strconv"

	"github.com/hashicorp/hcl/v2"
)

// Stack is one application, every value known: ports and ARNs are allocated before the file is evaluated.
type Stack struct {
	Name       string
	Dir        string // absolute; all relative paths in the file are relative to it
	Region     string // "us-east-1"
	Account    string // 12 digits
	Port       int    // of the AWS endpoint, 4566 unless the file says otherwise
	Sync       bool   // durability = "fsync"
	TableDelay int    // seconds that a change of a table's status takes
	Resources  []Resource
	Files      []string // absolute paths that the configuration was read from, files read by functions included
}

// ID names a resource as references do: table.orders, or table.orders["eu"] for an instance of a block with for_each;
// Name is then `orders["eu"]`.
type ID struct{ Type, Name string }

// String returns "table.orders".
func (id ID) String() string { return id.Type + "." + id.Name }

// MarshalText writes an ID in JSON as references do.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// Resource is one block of the stack. It is one of the struct pointers below; two that are reflect.DeepEqual but for
// their ranges are the same resource unchanged.
type Resource interface {
	Base() *Block
}

// Block is what all resources have.
type Block struct {
	ID    ID
	Needs []ID      // that this one refers to, sorted: they are ready before it starts
	Range hcl.Range `json:"-"` // of the block's header, for messages
}

// Base returns the block itself: embedding it makes a struct a Resource.
func (b *Block) Base() *Block { return b }

// Table is a DynamoDB table.
type Table struct {
	Block
	Name               string
	HashKey, RangeKey  string            // RangeKey may be ""
	Attributes         map[string]string // type of each key attribute: "S", "N" or "B"
	Indexes            []Index
	Stream             string // StreamViewType, "" for none
	StreamLabel        string // allocated, last part of StreamARN
	TTL                string // attribute, "" for none
	BillingMode        string // "PAY_PER_REQUEST" or "PROVISIONED"
	ReadCapacity       int64
	WriteCapacity      int64
	OnDemand           Units  // most units a second with PAY_PER_REQUEST; 0: no bound
	Warm               Units  // units a second that it must be ready for; 0: not said
	Class              string // TableClass, "STANDARD" or "STANDARD_INFREQUENT_ACCESS"
	RecoveryDays       int    // of point-in-time recovery, 1 to 35; 0: it is off
	Replicas           []string
	Seeds              []Seed
	DeletionProtection bool
	Tags               map[string]string
	ARN, StreamARN     string
}

// Units are read and write units a second.
type Units struct{ Read, Write int64 }

// Seed is a file with items that a table begins with.
type Seed struct {
	Path string // absolute
	Sum  string // SHA-256 of its content, in hexadecimal: another content is another stack
}

// Index is a secondary index of a table.
type Index struct {
	Name             string
	Local            bool
	HashKeys         []string // 1 to 4
	RangeKeys        []string // 0 to 4
	Projection       string   // "ALL", "KEYS_ONLY" or "INCLUDE"
	NonKeyAttributes []string // with INCLUDE
	ReadCapacity     int64    // of a global index with PROVISIONED
	WriteCapacity    int64
	OnDemand, Warm   Units // of a global index, as the table's
}

// Cache is an ElastiCache cluster.
type Cache struct {
	Block
	Name   string
	Engine string // "redis" or "valkey"
	Port   int
	URL    string // "redis://127.0.0.1:16379"
}

// Function is a Lambda function.
type Function struct {
	Block
	Name        string
	Runtime     string // "js", "nodejs22.x", "python3.12", "go", "provided.al2023", "image"
	Source      string // absolute path of the file or folder, "" for an image
	Handler     string // "" for the runtime's default
	Image       string // runtime "image": its reference
	Build       string // runtime "image": absolute path of the folder with a Dockerfile
	Description string
	Environment map[string]string
	Timeout     int  // seconds, 1 to 900
	Memory      int  // MiB, 128 to 10240
	Concurrency *int // reserved; nil: none
	Events      []EventSource
	ARN         string

	URL   *FunctionURL // nil: it has none
	Async *Async       // nil: Lambda's defaults
	Tags  map[string]string

	// What follows has zero values that mean Lambda's defaults.
	Version             string            // "3"; "" is $LATEST
	Layers              []string          // absolute folders whose contents are under /opt, a later one over an earlier; as a stack has them, archives too
	LayerSums           map[string]string // of those layers that are archives: SHA-256 of the content, in hexadecimal
	EphemeralStorage    int               // MiB of /tmp, 512 to 10240; 0: 512
	Provisioned         int               // sandboxes that are kept started
	LogFormat           string            // "JSON"; "" is "Text"
	ApplicationLogLevel string            // "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", of LogFormat "JSON"; "" is "INFO"
	SystemLogLevel      string            // "DEBUG", "INFO", "WARN", of LogFormat "JSON"; "" is "INFO"
	LogGroup            string            // "" is "/aws/lambda/NAME"
	Tracing             string            // "Active": the log names the trace of each invocation; "" is "PassThrough"
	EntryPoint          []string          // runtime "image": instead of the image's own, nil for that
	Command             []string
	WorkingDirectory    string
	Debug               int // port on which a debugger is listened for; 0: none

	Deployed string `json:"-"` // what a function is known by that Lambda's API made, the ARN of its version; "" for one of the stack
}

// Key is what a running function is known by: its name, or "NAME:3" for a published version beside $LATEST. A function that Lambda's
// API made may have the name of another, in another account or region, and is known by its ARN.
func (f *Function) Key() string {
	if f.Deployed != "" {
		return f.Deployed
	}
	if f.Version == "" {
		return f.Name
	}
	return f.Name + ":" + f.Version
}

// VersionName is the version as Lambda writes it: "$LATEST" or a number.
func (f *Function) VersionName() string {
	if f.Version == "" {
		return "$LATEST"
	}
	return f.Version
}

// LogGroupName is the CloudWatch log group that the function's lines go to.
func (f *Function) LogGroupName() string {
	if f.LogGroup == "" {
		return "/aws/lambda/" + f.Name
	}
	return f.LogGroup
}

// EventSource is an `on` block of a function. Type is "stream" for now.
type EventSource struct {
	Type             string
	Source           string // ARN
	BatchSize        int
	StartingPosition string   // "TRIM_HORIZON" or "LATEST"
	Filters          []string // event patterns, JSON
	BatchWindow      int      // seconds, 0 to 300
	MaxRetries       int      // -1: until the records are too old
	MaxAge           int      // seconds; -1: as long as the stream has them
	Bisect           bool     // a batch that failed is split in two
	ItemFailures     bool     // the function reports which records failed
	Parallelization  int      // batches of a shard at once, 1 to 10
	TumblingWindow   int      // seconds, 0: none
	Disabled         bool
	Range            hcl.Range `json:"-"`
}

// FunctionURL is the `url` block of a function.
type FunctionURL struct {
	Auth   string // "NONE" or "AWS_IAM"
	Stream bool   // the response is streamed
	CORS   *CORS
	URL    string // "http://ID.lambda-url.us-east-1.localhost:4566/"
}

// Async is the `async` block of a function: what becomes of events that nobody waits for.
type Async struct {
	MaxRetries           *int   // nil: 2
	MaxAge               *int   // seconds, 60 to 21600; nil: 21600
	OnSuccess, OnFailure string // ARNs of functions, "" for none
}

// Service is a long-running program, a container or a process, behind a stable address.
type Service struct {
	Block
	Name        string
	Image       string   // one of Image,
	Build       string   // Build (absolute path of a folder with a Dockerfile)
	Command     []string // and Command (a process) is set; with Image or Build, Command replaces the image's
	Dir         string   // absolute working directory of a process
	Port        int      // on which the program listens (told to it as PORT); 0: a process gets a free one
	Health      string   // path that answers 2xx when it is healthy; "" means that it accepts connections
	Replicas    int
	Environment map[string]string
	Watch       []string // absolute files and folders whose change restarts it; defaults to Dir or Build
	URL         string   // of the daemon's proxy in front of its instances: "http://127.0.0.1:PORT"
	ProxyPort   int      // allocated, in URL
}

// StateMachine is a Step Functions state machine.
type StateMachine struct {
	Block
	Name       string
	Type       string // "STANDARD" or "EXPRESS"
	Definition string // Amazon States Language, substitutions made
	Tags       map[string]string
	ARN        string
}

// API is an API Gateway HTTP API on a port of its own.
type API struct {
	Block
	Name   string
	Port   int
	Routes []Route
	CORS   *CORS
	Tags   map[string]string
	URL    string // "http://127.0.0.1:8080"
}

// Route is one route of an API and what answers it: exactly one of the targets.
type Route struct {
	Key          string // "POST /orders", "ANY /catalog/{proxy+}", "$default"
	Function     *ID
	StateMachine *ID
	Service      *ID
	URL          string    // of any HTTP server
	ARN          string    // of Function or StateMachine
	Express      bool      // StateMachine is an EXPRESS one
	Upstream     string    // where requests for Service or URL go: "http://127.0.0.1:20001"
	TimeoutMS    int       // milliseconds, 50 to 30000
	Range        hcl.Range `json:"-"`
}

// CORS is an API's cross-origin configuration.
type CORS struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
	AllowCredentials                                        bool
	MaxAge                                                  int // seconds
}

// Endpoint returns the URL of the AWS endpoint.
func (s *Stack) Endpoint() string { return "http://127.0.0.1:" + strconv.Itoa(s.Port) }

// Resource returns the resource of an ID, nil if there is none.
func (s *Stack) Resource(id ID) Resource {
	for _, r := range s.Resources {
		if r.Base().ID == id {
			return r
		}
	}
	return nil
}

// StreamLabel returns the label that the stack has chosen for the stream of the table of a name; "" if it has no such
// table or no stream for it.
func (s *Stack) StreamLabel(table string) string {
	for _, r := range s.Resources {
		if t, ok := r.(*Table); ok && t.Name == table {
			return t.StreamLabel
		}
	}
	return ""
}

// Equal reports whether two resources are the same but for where they are written and by which references their values
// came about.
func Equal(a, b Resource) bool { return same(reflect.ValueOf(a), reflect.ValueOf(b)) }

// same is reflect.DeepEqual for the plain values that resources are made of, without ranges and Needs.
func same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		return a.IsValid() == b.IsValid() && !a.IsValid()
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[hcl.Range]() {
			return true
		}
		for i := range a.NumField() {
			if a.Type() == reflect.TypeFor[Block]() && a.Type().Field(i).Name == "Needs" {
				continue
			}
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map: // of strings
		return a.Len() == b.Len() && reflect.DeepEqual(a.Interface(), b.Interface()) || a.Len() == 0 && b.Len() == 0
	default:
		return a.Equal(b)
	}
}
