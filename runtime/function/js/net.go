package js

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/dop251/goja"

	"devstack/internal/trace"
)

func (s *sandbox) netFunctions() map[string]any {
	return map[string]any{"fetch": s.hostFetch, "parseURL": s.hostParseURL, "multipart": s.hostMultipart, "redis": s.hostRedis}
}

// maxRedirects is how many redirects fetch follows, as its standard says.
const maxRedirects = 20

// hostFetch implements host.fetch(url, method, [[name, value]], body, redirect, raw) → {promise, abort}. The promise is of
// {url, status, statusText, headers, redirected, read, all}: read() is a promise of the body's next bytes, null at its end, and all()
// of all that is left. raw leaves a body compressed as the server sent it.
func (s *sandbox) hostFetch(call goja.FunctionCall) goja.Value {
	var body io.Reader
	if v := call.Argument(3); !goja.IsNull(v) && !goja.IsUndefined(v) {
		body = bytes.NewReader(bytes.Clone(s.bytes(v)))
	}
	ctx, cancel := context.WithCancel(s.ctx)
	req, err := http.NewRequestWithContext(ctx, call.Argument(1).String(), call.Argument(0).String(), body)
	if err != nil {
		cancel()
		s.throw("TypeError", "fetch failed: %v", err)
	}
	var headers [][2]string
	if err := s.rt.ExportTo(call.Argument(2), &headers); err != nil {
		cancel()
		s.throw("TypeError", "fetch failed: %v", err)
	}
	for _, h := range headers {
		if strings.EqualFold(h[0], "Host") {
			req.Host = h[1]
			continue
		}
		req.Header.Add(h[0], h[1])
	}
	if call.Argument(5).ToBoolean() && req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "devstack")
	}
	if id := trace.Header(ctx); id != "" && req.Header.Get("X-Amzn-Trace-Id") == "" {
		req.Header.Set("X-Amzn-Trace-Id", id)
	}
	redirect := call.Argument(4).String()
	promise := s.async(func(context.Context) (func() goja.Value, error) {
		resp, err := s.roundTrip(req, redirect)
		if err != nil {
			cancel()
			return nil, err
		}
		return func() goja.Value { return s.response(req, resp, cancel) }, nil
	})
	out := s.rt.NewObject()
	_ = out.Set("promise", promise)
	_ = out.Set("abort", func(goja.FunctionCall) goja.Value { cancel(); return goja.Undefined() })
	return out
}

// roundTrip sends a request and returns the response once its headers are there.
func (s *sandbox) roundTrip(req *http.Request, redirect string) (*http.Response, error) {
	client := http.Client{Transport: s.engine.opts.Transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		switch {
		case redirect == "manual":
			return http.ErrUseLastResponse
		case redirect == "error":
			return errors.New("unexpected redirect")
		case len(via) > maxRedirects:
			return errors.New("redirect count exceeded")
		}
		return nil
	}}
	resp, err := client.Do(req)
	return resp, fetchError(err)
}

// bodyChunk is how many bytes of a body are read at a time.
const bodyChunk = 64 << 10

// response makes the script's side of a response. done is called once the body has been read.
func (s *sandbox) response(req *http.Request, resp *http.Response, done func()) goja.Value {
	var headers []any
	for name, values := range resp.Header {
		for _, v := range values {
			headers = append(headers, s.rt.NewArray(strings.ToLower(name), v))
		}
	}
	finish := func() { resp.Body.Close(); done() }
	read := func(goja.FunctionCall) goja.Value {
		return s.async(func(context.Context) (func() goja.Value, error) {
			b := make([]byte, bodyChunk)
			n, err := resp.Body.Read(b)
			for n == 0 && err == nil {
				n, err = resp.Body.Read(b)
			}
			if n > 0 {
				return func() goja.Value { return s.arrayBuffer(b[:n:n]) }, nil
			}
			finish()
			if !errors.Is(err, io.EOF) {
				return nil, fetchError(err)
			}
			return func() goja.Value { return goja.Null() }, nil
		})
	}
	all := func(goja.FunctionCall) goja.Value {
		return s.async(func(context.Context) (func() goja.Value, error) {
			defer finish()
			limit := int64(s.memoryLimit())
			b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
			if err == nil && int64(len(b)) > limit {
				err = fmt.Errorf("the response of %s is larger than the function's memory", req.URL)
			}
			return func() goja.Value { return s.arrayBuffer(b) }, fetchError(err)
		})
	}
	out := s.rt.NewObject()
	_ = out.Set("url", resp.Request.URL.String())
	_ = out.Set("status", resp.StatusCode)
	_ = out.Set("statusText", strings.TrimPrefix(resp.Status, fmt.Sprintf("%d ", resp.StatusCode)))
	_ = out.Set("headers", s.rt.NewArray(headers...))
	_ = out.Set("redirected", resp.Request != req)
	_ = out.Set("read", read)
	_ = out.Set("all", all)
	return out
}

// hostMultipart implements host.multipart(bytes, contentType) → [{name, filename, type, body}] of a form.
func (s *sandbox) hostMultipart(call goja.FunctionCall) goja.Value {
	kind, params, err := mime.ParseMediaType(call.Argument(1).String())
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		s.throw("TypeError", `Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".`)
	}
	r := multipart.NewReader(bytes.NewReader(s.bytes(call.Argument(0))), params["boundary"])
	var list []any
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return s.rt.NewArray(list...)
		}
		var body []byte
		if err == nil {
			body, err = io.ReadAll(part)
		}
		if err != nil {
			s.throw("TypeError", "Failed to parse body as FormData.")
		}
		_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		obj := s.rt.NewObject()
		_ = obj.Set("name", disposition["name"])
		if name, ok := disposition["filename"]; ok {
			_ = obj.Set("filename", name)
		}
		_ = obj.Set("type", part.Header.Get("Content-Type"))
		_ = obj.Set("body", s.arrayBuffer(body))
		list = append(list, obj)
	}
}

// fetchError takes the method and URL off, which the script knows.
func fetchError(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// hostParseURL implements host.parseURL(text, base) → [protocol, username, password, hostname, port, pathname, search,
// hash], or null for what is no absolute URL.
func (s *sandbox) hostParseURL(call goja.FunctionCall) goja.Value {
	u, err := url.Parse(strings.TrimSpace(call.Argument(0).String()))
	if err != nil {
		return goja.Null()
	}
	if base := call.Argument(1); !goja.IsUndefined(base) {
		b, err := url.Parse(strings.TrimSpace(base.String()))
		if err != nil || b.Scheme == "" {
			return goja.Null()
		}
		u = b.ResolveReference(u)
	}
	if u.Scheme == "" {
		return goja.Null()
	}
	parts := urlParts(u)
	if parts == nil {
		return goja.Null()
	}
	list := make([]any, len(parts))
	for i, p := range parts {
		list[i] = p
	}
	return s.rt.NewArray(list...)
}

// defaultPorts are those of the schemes that the URL standard calls special.
var defaultPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}

func urlParts(u *url.URL) []string {
	port, special := defaultPorts[u.Scheme]
	if special && u.Scheme != "file" && u.Hostname() == "" {
		return nil
	}
	host, path := u.Hostname(), u.EscapedPath()
	if special {
		host = strings.ToLower(host)
		if u.Opaque != "" {
			return nil
		}
		path = "/" + strings.TrimPrefix((&url.URL{}).ResolveReference(&url.URL{Scheme: "x", Host: "x", Path: u.Path, RawPath: u.RawPath}).EscapedPath(), "/")
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port() != port || !special {
		port = u.Port()
	} else {
		port = ""
	}
	if u.Opaque != "" {
		path = u.Opaque
	}
	search, hash := "", ""
	if u.RawQuery != "" {
		search = "?" + escapeQuery(u.RawQuery)
	}
	if u.Fragment != "" {
		hash = "#" + u.EscapedFragment()
	}
	password, _ := u.User.Password()
	return []string{u.Scheme + ":", url.PathEscape(u.User.Username()), url.PathEscape(password), host, port, path, search, hash}
}

// escapeQuery escapes what may not stand in a query as it is.
func escapeQuery(q string) string {
	var b strings.Builder
	for i := range len(q) {
		switch c := q[i]; {
		case c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\'':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hostRedis implements host.redis(url, [[command, argument…]…], kind) → a promise of the commands' replies, which travel
// together on one connection. Replies that are errors are Errors in the list.
func (s *sandbox) hostRedis(call goja.FunctionCall) goja.Value {
	pool, err := s.engine.redis.of(call.Argument(0).String())
	if err != nil {
		s.throw("TypeError", "%v", err)
	}
	var commands [][][]byte
	list := call.Argument(1).ToObject(s.rt)
	for _, k := range list.Keys() {
		words := list.Get(k).ToObject(s.rt)
		var command [][]byte
		for _, w := range words.Keys() {
			command = append(command, bytes.Clone(s.bytes(words.Get(w))))
		}
		commands = append(commands, command)
	}
	return s.async(func(ctx context.Context) (func() goja.Value, error) {
		replies, err := pool.do(ctx, commands)
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) {
				err = fmt.Errorf("redis: %w", err)
			}
			return nil, err
		}
		return func() goja.Value { return s.redisReply(replies) }, nil
	})
}

// redisReply makes values of replies.
func (s *sandbox) redisReply(r any) goja.Value {
	switch r := r.(type) {
	case nil:
		return goja.Null()
	case []any:
		items := make([]any, len(r))
		for i, x := range r {
			items[i] = s.redisReply(x)
		}
		return s.rt.NewArray(items...)
	case redisError:
		return s.hostError(r)
	default: // string, int64
		return s.rt.ToValue(r)
	}
}
