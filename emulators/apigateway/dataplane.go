package apigateway

import (
	"context"
	"io"
	"net/http"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// maxBody is the largest request body in bytes.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const maxBody = 10 << 20

// Answers of the data plane itself, in API Gateway's words.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
var (
	notFound    = answer{http.StatusNotFound, "Not Found"}
	tooLarge    = answer{http.StatusRequestEntityTooLarge, "Request Entity Too Large"}
	badRequest  = answer{http.StatusBadRequest, "Bad Request"}
	broken      = answer{http.StatusInternalServerError, "Internal Server Error"}
	unavailable = answer{http.StatusServiceUnavailable, "Service Unavailable"}
)

// errorHeader tells the developer why; AWS has no such header.
const errorHeader = "x-devstack-error"

type answer struct {
	status  int
	message string
}

// write answers with the service's own words; why, if there is anything to say, goes into a header of ours.
func (a answer) write(w http.ResponseWriter, why string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if why != "" {
		h.Set(errorHeader, oneLine(why))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, `{"message":"`+a.message+`"}`) // a caller that went away
}

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	const longest = 1000
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), longest)]
}

// dataPlane is an API as its callers meet it.
type dataPlane struct {
	s      *Service
	scope  scope
	api    Api
	router *router
	stages map[string]Stage
}

// Handler returns the data plane of an API. It shows what the control plane holds at each request; an API that is not there
// answers 404.
func (s *Service) Handler(account, region, api string) http.Handler {
	k := scope{account, region, api}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.plane(k)
		if err != nil {
			notFound.write(w, err.Error())
			return
		}
		p.ServeHTTP(w, r)
	})
}

// plane returns an API's data plane, compiled anew if the API changed.
func (s *Service) plane(k scope) (*dataPlane, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.compiled[k]; p != nil {
		return p, nil
	}
	p := &dataPlane{s: s, scope: k, stages: map[string]Stage{}}
	err := s.Store.View(func(tx *store.Tx) error {
		a, err := existing(tx, k)
		if err != nil {
			return err
		}
		p.api = *a
		targets := map[string]*Integration{}
		for i := range integrations.All(tx, k.account, k.region, k.api) {
			targets[targetPrefix+*i.IntegrationId] = &i
		}
		var all []target
		for r := range routes.All(tx, k.account, k.region, k.api) {
			t := target{key: *r.RouteKey}
			if r.Target != nil {
				t.integration = targets[*r.Target]
			}
			all = append(all, t)
		}
		p.router = newRouter(all)
		for st := range stages.All(tx, k.account, k.region, k.api) {
			p.stages[*st.StageName] = st
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.compiled[k] = p
	return p, nil
}

// exchange is one request on its way through an API.
type exchange struct {
	*dataPlane
	id        string // request id
	stage     Stage
	path      string            // without the stage
	route     string            // the key that matched
	variables map[string]string // of the path
	body      []byte
}

// ServeHTTP answers a request of the API's caller.
func (p *dataPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := trace.Join(r.Context(), r.Header.Get("X-Amzn-Trace-Id"), r.Header.Get("Traceparent"))
	ctx, span := trace.Start(ctx, "api", r.Method+" "+r.URL.Path)
	ctx = wire.WithRequest(ctx, &wire.Request{Account: p.scope.account, Region: p.scope.region, Host: r.Host, Service: "apigateway"})
	x := &exchange{dataPlane: p, id: p.s.IDs.From(alphabet, 15) + "="}
	w.Header().Set("Apigw-Requestid", x.id)
	if span.Recording() {
		w.Header().Set("X-Amzn-Trace-Id", "Root="+span.TraceID())
	}
	if p.preflight(w, r) {
		span.End(nil)
		return
	}
	p.allowOrigin(w, r)
	rec := &recorder{ResponseWriter: w}
	x.serve(ctx, rec, r, span)
	span.Output(rec.start)
	span.End(rec.failure())
}

func (x *exchange) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, span *trace.Active) {
	var ok bool
	if x.stage, x.path, ok = x.pickStage(r.URL.EscapedPath()); !ok {
		notFound.write(w, "the API has no stage for this path")
		return
	}
	t, variables := x.router.match(r.Method, x.path)
	if t == nil {
		notFound.write(w, "no route matches "+r.Method+" "+x.path)
		return
	}
	x.route, x.variables = t.key, variables
	if t.integration == nil {
		broken.write(w, "the route "+t.key+" has no integration")
		return
	}
	if *t.integration.IntegrationType == IntegrationTypeHttpProxy && r.Header.Get("Upgrade") != "" {
		badRequest.write(w, "HTTP APIs do not carry upgraded connections")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		tooLarge.write(w, "")
		return
	}
	x.body = body
	span.Input(body)
	x.integrate(ctx, w, r, t.integration)
}

// pickStage finds the stage that a path begins with, else the default one.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html (Routing API requests)
func (p *dataPlane) pickStage(path string) (st Stage, rest string, ok bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if st, ok := p.stages[first]; ok && first != defaultStage {
		return st, "/" + rest, true
	}
	st, ok = p.stages[defaultStage]
	return st, path, ok
}

// recorder remembers an answer's status and beginning, for the trace.
type recorder struct {
	http.ResponseWriter
	status int
	start  []byte
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	const keep = 4 << 10
	if room := keep - len(r.start); room > 0 {
		r.start = append(r.start, b[:min(room, len(b))]...)
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// failure is the error that the trace shows: an answer that is the server's fault.
func (r *recorder) failure() error {
	if r.status < 500 {
		return nil
	}
	if why := r.Header().Get(errorHeader); why != "" {
		return statusError(http.StatusText(r.status) + ": " + why)
	}
	return statusError(http.StatusText(r.status))
}

type statusError string

func (e statusError) Error() string { return string(e) }
