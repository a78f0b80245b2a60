package wire

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// Service is an emulated service: its model and what it does. register, generated beside the types, builds it.
type Service struct {
	Model    *Model
	handlers map[string]Handler // by operation name; only those of operations.txt
}

// NewService joins a model with the handlers of the operations that it implements.
func NewService(m *Model, handlers map[string]Handler) *Service { return &Service{m, handlers} }

// Handler carries out one operation.
type Handler struct {
	newInput func() any                                     // a pointer to a zero input
	act      func(ctx context.Context, in any) (any, error) // input and output pointers
	in, out  reflect.Type                                   // what they point at
}

// Handle makes a Handler of a service's method.
func Handle[In, Out any](f func(context.Context, *In) (*Out, error)) Handler {
	return Handler{
		newInput: func() any { return new(In) },
		in:       reflect.TypeFor[In](),
		out:      reflect.TypeFor[Out](),
		act: func(ctx context.Context, in any) (any, error) {
			out, err := f(ctx, in.(*In))
			if err != nil {
				return nil, err // not out: a nil *Out in an any is not nil
			}
			return out, nil
		},
	}
}

// Error is an answer of AWS's own: a code of the service's model (or of all services), its status, and the service's words.
// Services make them by the generated constructors errXxx.
type Error struct {
	Code    string         // the error shape's name: "ResourceNotFoundException"
	Status  int            // HTTP status
	Message string         // word for word
	Fields  map[string]any // further members of the error's structure, by their model names
	Sender  bool           // whose fault: the client's (Query's Type Sender, legacy x-amzn-query-error)
}

// Error returns the code and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// ErrorCode returns the code, for callers that know errors of AWS only by these methods.
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage returns the service's words.
func (e *Error) ErrorMessage() string { return e.Message }

// HTTPStatus returns the status of the answer over HTTP.
func (e *Error) HTTPStatus() int { return e.Status }

// ErrorFields returns the further members of the error's structure, for the same callers: an error that Call returns has them as JSON.
func (e *Error) ErrorFields() map[string]any { return e.Fields }

// With returns the error with a further member of its structure set.
func (e *Error) With(member string, value any) *Error {
	c := *e
	c.Fields = map[string]any{member: value}
	for k, v := range e.Fields {
		if k != member {
			c.Fields[k] = v
		}
	}
	return &c
}

// Errorf makes an error of a shape; the generated constructors call it. A status below 500 is the sender's fault.
func Errorf(code string, status int, format string, args ...any) *Error {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	return &Error{Code: code, Status: status, Message: msg, Sender: status < 500}
}

// NotImplemented is the answer to what AWS does and we do not: status 501, and words that name the operation and the
// parameter. It is never an answer of AWS's own, so that nobody takes it for one.
func NotImplemented(format string, args ...any) *Error {
	return Errorf("NotImplemented", 501, format, args...)
}

// Request is what an operation may know of the request that it serves, besides its input.
type Request struct {
	Account   string // 12 digits
	Region    string // "us-east-1"
	ID        string // the request id that the answer carries
	AccessKey string // of the signature, if there is one
	Host      string // that the client called, with the port; empty in process
	Service   string // "dynamodb"
	Operation string // "PutItem"

	memory *memory     // of an answer over HTTP
	header http.Header // and its header; nil in process
}

// ErrorHeader tells a developer why something failed, where AWS would say less; AWS has no such header.
const ErrorHeader = "X-Devstack-Error"

// Explain adds ErrorHeader to the answer that is being made, in one line of at most 1,000 characters. "" adds nothing, and in process
// nobody would read it.
func (r *Request) Explain(why string) {
	if r.header == nil || why == "" {
		return
	}
	line := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return ' '
		}
		return c
	}, why)
	r.header.Set(ErrorHeader, line[:min(len(line), 1000)])
}

// Answer sets a header of the answer that is being made, for one that no model has. "" sets nothing, and in process nobody would read it.
func (r *Request) Answer(header, value string) {
	if r.header != nil && value != "" {
		r.header.Set(header, headerBreaks.Replace(value))
	}
}

// ARN returns the Amazon Resource Name of a resource of the request's account and region. service is as in ARNs ("states").
func (r *Request) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + r.Region + ":" + r.Account + ":" + resource
}

type requestKey struct{}

// requestContext is the context of a request over HTTP, in one piece with it.
type requestContext struct {
	context.Context
	request Request
}

// Value returns the request, or what the context outside has.
func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return &c.request
	}
	return c.Context.Value(key)
}

// WithRequest returns a context in which From finds r.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// From returns the request that ctx belongs to. Outside any, it is the default account in us-east-1.
func From(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{Account: DefaultAccount, Region: DefaultRegion}
}

// Where requests land that do not say it: no 12-digit access key id, no region in a signature's scope.
const (
	DefaultAccount = "000000000000"
	DefaultRegion  = "us-east-1"
)
