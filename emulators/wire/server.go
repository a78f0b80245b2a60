package wire

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Server is made of.
type Config struct {
	Services []*Service
	Account  string           // of requests whose access key id is not 12 digits; DefaultAccount if empty
	Region   string           // of requests whose signature names none; DefaultRegion if empty
	NewID    func() string    // of request ids
	Now      func() time.Time // of the Date header; the machine's own if nil

	// Trace, if there is one, is told of every operation as it begins. It returns what is told the rest, nil if nobody wants to
	// know.
	Trace func(ctx context.Context, r *Request) (context.Context, Span)

	Log *slog.Logger // of what concerns the operator
}

// Span is told what was asked and answered, in JSON by the model's member names, or as it came and went if that was JSON; the
// bytes are good until the method returns. Then it is told how the operation ended.
type Span interface {
	Input(json []byte)
	Output(json []byte)
	End(err error)
}

// Server carries out the operations of services, over HTTP and in process.
type Server struct {
	Config
	byName    map[string]*service   // by our name
	byTarget  map[string]*service   // by prefix of X-Amz-Target
	bySigning map[string][]*service // by the name in a credential scope
	services  []*service
	date      atomic.Pointer[dateHeader]
}

// dateHeader is the Date header of a second.
type dateHeader struct {
	unix int64
	text []string
}

// setDate writes the Date header by the server's clock, from which clients reckon their own skew.
func (s *Server) setDate(h http.Header) {
	if s.Now == nil {
		return // net/http does it
	}
	now := s.Now()
	d := s.date.Load()
	if d == nil || d.unix != now.Unix() {
		d = &dateHeader{now.Unix(), []string{now.UTC().Format(http.TimeFormat)}}
		s.date.Store(d)
	}
	h["Date"] = d.text
}

// service is a Service at work in a Server.
type service struct {
	*Service
	planner *planner
	unknown unknowns

	once  sync.Once // makes the lookups
	named lookups
}

// lookups find what a service's model has by name or URI. They are made when the service is first called: a process start that
// waited for those of all services would be the longer for it.
type lookups struct {
	operations map[string]*operation
	rest       []*operation   // in the order in which they are tried
	errors     map[string]int // shapes by name
}

// operation is one operation at work.
type operation struct {
	*Operation
	service *service
	handler Handler
	done    bool // we do it
	uri     uriPattern

	once     sync.Once // makes the plans
	in, out  *plan
	inPlaces bindings
	outPlace bindings
	wrapper  queryWrapper

	calls, refused atomic.Uint64
}

// NewServer returns a server of services. Plans are made when an operation is first called, so starting costs little.
func NewServer(c Config) *Server {
	if c.Account == "" {
		c.Account = DefaultAccount
	}
	if c.Region == "" {
		c.Region = DefaultRegion
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Config: c, byName: map[string]*service{}, byTarget: map[string]*service{}, bySigning: map[string][]*service{}}
	for _, svc := range c.Services {
		s.add(svc)
	}
	return s
}

func (s *Server) add(svc *Service) {
	m := svc.Model
	w := &service{Service: svc, planner: newPlanner(m)}
	s.services = append(s.services, w)
	s.byName[m.Service] = w
	s.byTarget[m.Name] = w
	s.bySigning[m.SigningName] = append(s.bySigning[m.SigningName], w)
}

// lookups returns the service's lookups.
func (w *service) lookups() *lookups {
	w.once.Do(func() { w.named = newLookups(w) })
	return &w.named
}

func newLookups(w *service) lookups {
	m := w.Model
	l := lookups{operations: make(map[string]*operation, len(m.Operations)), errors: make(map[string]int, len(m.Shapes)/4)}
	ops := make([]operation, len(m.Operations))
	for i := range m.Operations {
		op := &ops[i]
		op.Operation, op.service = &m.Operations[i], w
		op.handler, op.done = w.handlers[op.Name]
		l.operations[op.Name] = op
		if op.URI != "" {
			op.uri = parseURI(op.Method, op.URI)
			l.rest = append(l.rest, op)
		}
	}
	slices.SortStableFunc(l.rest, func(a, b *operation) int { return b.uri.weight() - a.uri.weight() })
	for i := range m.Shapes {
		if m.Shapes[i].ErrorStatus != 0 {
			l.errors[m.Shapes[i].Name] = i
		}
	}
	return l
}

// plans makes an operation's plans once.
func (op *operation) plans() {
	op.once.Do(func() {
		op.in = op.service.planner.plan(op.Input, op.handler.in)
		op.out = op.service.planner.plan(op.Output, op.handler.out)
		op.inPlaces, op.outPlace = op.in.bindings(), op.out.bindings()
		op.wrapper = newQueryWrapper(op)
	})
}

// exchange is one request over HTTP on its way through the server.
type exchange struct {
	server   *Server
	w        http.ResponseWriter
	r        *http.Request
	op       *operation
	service  *service
	protocol Protocol
	form     []formField // of a Query request
	query    []formField // of the URL
	labels   []uriLabel
	labelBuf [8]uriLabel
	rawPath  string
	scope    scope
	request  Request
	span     Span // that has not ended, nil for none

	buf     *[]byte // pooled, of the body
	read    bool
	bodyErr error
	out     *[]byte // pooled, of the answer
}

var (
	exchanges = sync.Pool{New: func() any { return new(exchange) }}
	buffers   = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}
)

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 1 << 20

func putBuffer(b *[]byte) {
	if b != nil && cap(*b) <= maxPooled {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchanges.Get().(*exchange)
	x.server, x.w, x.r = s, w, r
	x.request.ID = s.NewID()
	x.serve()
	putBuffer(x.buf)
	putBuffer(x.out)
	x.request.memory.release()
	*x = exchange{}
	exchanges.Put(x)
}

func (x *exchange) serve() {
	if err := x.carryOut(); err != nil {
		x.end(err)
		x.fail(err)
	}
}

func (x *exchange) carryOut() (err error) {
	defer x.server.guard(x, &err)
	if err := x.route(); err != nil {
		return err
	}
	op := x.op
	if !op.done {
		op.refused.Add(1)
		return notImplemented(op)
	}
	op.calls.Add(1)
	op.plans()
	in := op.handler.newInput()
	v := reflect.ValueOf(in).Elem()
	if err := x.decode(v); err != nil {
		return err
	}
	x.request.Service, x.request.Operation = x.service.Model.Service, op.Name
	x.request.memory, x.request.header = memories.Get().(*memory), x.w.Header()
	var ctx context.Context = &requestContext{x.r.Context(), x.request} // handlers may keep it; the exchange is used again
	if ctx, x.span = x.server.begin(ctx); x.span != nil {
		x.span.Input(x.input(v))
	}
	out, err := x.server.act(ctx, op, in, v)
	if err != nil {
		return err
	}
	x.answer(reflect.ValueOf(out).Elem())
	return nil
}

// input is what a trace shows of the input.
func (x *exchange) input(v reflect.Value) []byte {
	if x.speaksJSON() && x.buf != nil {
		return *x.buf
	}
	return traced(x.op.in, v)
}

// end ends the span, if there is one that has not ended.
func (x *exchange) end(err error) {
	if x.span != nil {
		x.span.End(err)
		x.span = nil
	}
}

// speaksJSON tells whether input and output are each one JSON document, by the model's names.
func (x *exchange) speaksJSON() bool { return x.protocol == AWSJSON10 || x.protocol == AWSJSON11 }

// guard turns a panic into an internal failure and logs it: a mistake of one operation must not end the daemon.
func (s *Server) guard(at interface {
	what() (service, operation string)
}, err *error) {
	r := recover()
	if r == nil {
		return
	}
	if r == http.ErrAbortHandler {
		panic(r)
	}
	service, operation := at.what()
	s.Log.Error("an operation panicked", "service", service, "operation", operation, "panic", r, "stack", string(debug.Stack()))
	*err = errInternal
}

func (op *operation) what() (service, operation string) { return op.service.Model.Service, op.Name }

func (x *exchange) what() (service, operation string) {
	if x.op == nil {
		return "", x.r.URL.Path
	}
	return x.op.what()
}

// begin tells the tracer of a call.
func (s *Server) begin(ctx context.Context) (context.Context, Span) {
	if s.Trace == nil {
		return ctx, nil
	}
	return s.Trace(ctx, From(ctx))
}

// run carries out a call in process, and tells the tracer.
func (s *Server) run(ctx context.Context, op *operation, in any, v reflect.Value) (out any, err error) {
	ctx, span := s.begin(ctx)
	if span == nil {
		return s.act(ctx, op, in, v)
	}
	span.Input(traced(op.in, v))
	if out, err = s.act(ctx, op, in, v); err == nil {
		span.Output(traced(op.out, reflect.ValueOf(out).Elem()))
	}
	span.End(err)
	return out, err
}

// act checks the input and carries the operation out.
func (s *Server) act(ctx context.Context, op *operation, in any, v reflect.Value) (out any, err error) {
	defer s.guard(op, &err)
	if err := op.checkInput(v); err != nil {
		return nil, err
	}
	if out, err = op.handler.act(ctx, in); err != nil {
		return nil, s.wireError(op, err)
	}
	if out == nil || reflect.ValueOf(out).IsNil() {
		out = reflect.New(op.handler.out).Interface()
	}
	return out, nil
}

// wireError turns an error that is none of AWS's into an internal failure, and logs it: this is the edge.
func (s *Server) wireError(op *operation, err error) error {
	if we, ok := errors.AsType[*Error](err); ok {
		return we
	}
	if !errors.Is(err, context.Canceled) {
		s.Log.Error("an operation failed", "service", op.service.Model.Service, "operation", op.Name, "error", err)
	}
	if p, ok := errors.AsType[public](err); ok {
		return Errorf(errInternal.Code, errInternal.Status, "%s devstack: %v", errInternal.Message, p)
	}
	return errInternal
}

// public is an error of ours that the client's user can do something about, such as a full disk: the client hears of it too.
type public interface {
	error
	Public()
}

// errInternal is what clients hear of failures that are ours.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
var errInternal = Errorf("InternalFailure", 500, "The request processing has failed because of an unknown error, exception or failure.")

// notImplemented refuses an operation that AWS has and we do not.
func notImplemented(op *operation) *Error {
	return Errorf("NotImplemented", 501, "devstack does not implement the operation %s of the service %s", op.Name, op.service.Model.Service)
}

// traced is the JSON of an input or output for a trace. Nothing is hidden in it, sensitive members neither: it stays on the
// developer's machine, and it is his own application that he is looking at.
func traced(p *plan, v reflect.Value) []byte {
	return jsonEncoder{model: true, trace: true}.structure(nil, p, v)
}

// Headers are set by their canonical names directly: Header.Set would spend longer on the spelling than on the rest.
func (x *exchange) send(status int, contentType []string, body []byte, stream io.Reader) {
	h := x.w.Header()
	if contentType != nil && h["Content-Type"] == nil {
		h["Content-Type"] = contentType
	}
	id := []string{x.request.ID}
	if x.protocol == RestXML {
		h["X-Amz-Request-Id"] = id
	}
	h["X-Amzn-Requestid"] = id
	x.server.setDate(h)
	x.drain()
	switch {
	case stream != nil:
		x.w.WriteHeader(status)
		if _, err := io.Copy(flusher{x.w}, stream); err != nil {
			x.server.Log.Error("an answer's stream broke", "service", x.service.Model.Service, "error", err)
			panic(http.ErrAbortHandler) // the client must not take what it has for the whole
		}
		if c, ok := stream.(io.Closer); ok {
			c.Close()
		}
		return
	case status != http.StatusNoContent && status != http.StatusNotModified && h["Content-Length"] == nil:
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.w.WriteHeader(status)
	if len(body) > 0 && x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // a client that went away is no news
	}
}

// flusher sends every part of a stream as it comes.
type flusher struct{ http.ResponseWriter }

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if fl, ok := f.ResponseWriter.(http.Flusher); ok {
		fl.Flush()
	}
	return n, err
}
