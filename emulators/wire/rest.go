package wire

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/textproto"
	"reflect"
	"strconv"
	"strings"
)

// bindings is where the members of a REST structure travel, besides the body.
type bindings struct {
	payload int  // index of the member that is the whole body, -1 for none
	body    bool // an input has members in the body
	answer  bool // an output has
}

func (p *plan) bindings() bindings {
	b := bindings{payload: -1}
	for i := range p.fields {
		f := &p.fields[i]
		if f.Location == InPayload {
			b.payload = i
		}
		b.body = b.body || f.Location == InBody
		b.answer = b.answer || f.inAnswerBody()
	}
	return b
}

// decodeREST decodes the parts of a request that are not its body.
func decodeREST(x *exchange, p *plan, v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		dst := v.Field(f.index)
		var err error
		switch f.Location {
		case InURI:
			for _, l := range x.labels {
				if l.name == f.Name {
					err = setText(f, f.target(dst), l.value, DateTime)
				}
			}
		case InQuery:
			err = decodeQueryParam(f, dst, x.query)
		case InQueryParams:
			err = decodeQueryParams(f, dst, x.query)
		case InHeader:
			err = decodeHeader(f, dst, x)
		case InPrefixHeaders:
			decodePrefixHeaders(f, dst, x.r.Header)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func decodeQueryParam(f *field, v reflect.Value, query []formField) error {
	for i := range query {
		if query[i].name != f.WireName {
			continue
		}
		if f.plan.kind != List {
			return setText(f, f.target(v), query[i].value, DateTime)
		}
		if err := appendElement(f.plan, v, query[i].value, DateTime); err != nil {
			return err
		}
	}
	return nil
}

func appendElement(p *plan, v reflect.Value, s string, times Format) error {
	el := p.element()
	x := reflect.New(p.typ.Elem()).Elem()
	if err := setText(el, el.target(x), s, times); err != nil {
		return err
	}
	v.Set(reflect.Append(v, x))
	return nil
}

// decodeQueryParams collects all parameters, those of other members too, as Smithy wants of servers.
// https://smithy.io/2.0/spec/http-bindings.html#httpqueryparams-trait
func decodeQueryParams(f *field, v reflect.Value, query []formField) error {
	val := &f.plan.fields[1]
	m := reflect.MakeMap(f.plan.typ)
	for _, q := range query {
		key := reflect.ValueOf(q.name).Convert(f.plan.typ.Key())
		x := reflect.New(f.plan.typ.Elem()).Elem()
		if val.plan.kind == List {
			if old := m.MapIndex(key); old.IsValid() {
				x.Set(old)
			}
			if err := appendElement(val.plan, x, q.value, DateTime); err != nil {
				return err
			}
		} else if err := setText(val, val.target(x), q.value, DateTime); err != nil {
			return err
		}
		m.SetMapIndex(key, x)
	}
	if m.Len() > 0 {
		v.Set(m)
	}
	return nil
}

func decodeHeader(f *field, v reflect.Value, x *exchange) error {
	values := x.r.Header[textproto.CanonicalMIMEHeaderKey(f.WireName)]
	switch strings.ToLower(f.WireName) { // net/http takes these out of the header
	case "host":
		values = []string{x.r.Host}
	case "content-length":
		if x.r.ContentLength >= 0 {
			values = []string{strconv.FormatInt(x.r.ContentLength, 10)}
		}
	}
	if len(values) == 0 {
		return nil
	}
	if f.plan.kind == List {
		v.Set(reflect.MakeSlice(f.plan.typ, 0, len(values)))
		for _, s := range splitHeader(strings.Join(values, ","), f.plan.element()) {
			if err := appendElement(f.plan, v, s, HTTPDate); err != nil {
				return err
			}
		}
		return nil
	}
	s := values[0]
	if f.Flags&JSONValue != 0 {
		b, err := decodeBase64([]byte(s))
		if err != nil {
			return err
		}
		s = string(b)
	}
	return setText(f, f.target(v), s, HTTPDate)
}

// splitHeader splits a header's list at its commas. Quoted elements keep theirs; HTTP dates have one of their own.
func splitHeader(s string, el *field) []string {
	date := el.plan.kind == Timestamp && el.format(HTTPDate) == HTTPDate
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			item, rest, ok := cutQuoted(s)
			if ok {
				out = append(out, item)
				s = strings.TrimPrefix(strings.TrimSpace(rest), ",")
				continue
			}
		}
		item, rest, more := strings.Cut(s, ",")
		if date && more {
			var tail string
			tail, rest, _ = strings.Cut(rest, ",")
			item += "," + tail
		}
		out = append(out, strings.TrimSpace(item))
		s = rest
	}
	return out
}

// cutQuoted reads a quoted string off the front of s.
func cutQuoted(s string) (item, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", s, false
}

func decodePrefixHeaders(f *field, v reflect.Value, h http.Header) {
	prefix := strings.ToLower(f.WireName)
	m := reflect.MakeMap(f.plan.typ)
	for name, values := range h {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), prefix); ok && len(values) > 0 {
			x := reflect.New(f.plan.typ.Elem()).Elem()
			val := &f.plan.fields[1]
			val.target(x).SetString(strings.Join(values, ","))
			m.SetMapIndex(reflect.ValueOf(rest), x)
		}
	}
	if m.Len() > 0 {
		v.Set(m)
	}
}

// restResponse is an answer in the making.
type restResponse struct {
	header http.Header
	status int
	body   []byte
	stream io.Reader // instead of body
}

// encodeREST writes the parts of an answer that are not its body, and returns the payload member, if it has one.
func encodeREST(out *restResponse, p *plan, v reflect.Value) {
	for i := range p.fields {
		f := &p.fields[i]
		x, ok := f.given(v.Field(f.index))
		if !ok {
			continue
		}
		switch f.Location {
		case InStatus:
			out.status = int(x.Int())
		case InHeader:
			if s, ok := headerText(f, x); ok {
				setHeader(out.header, f.WireName, s)
			}
		case InPrefixHeaders:
			for _, k := range sortedKeys(x) {
				if val, ok := f.plan.fields[1].given(x.MapIndex(k)); ok {
					setHeader(out.header, f.WireName+k.String(), val.String())
				}
			}
		}
	}
}

// setHeader sets a header; what would break the message is taken out, since values come from stored user data.
func setHeader(h http.Header, name, value string) {
	h[textproto.CanonicalMIMEHeaderKey(name)] = []string{headerBreaks.Replace(value)}
}

var headerBreaks = strings.NewReplacer("\r", "", "\n", "", "\x00", "")

// headerText is a member's value in a header. An empty string or list is not sent.
func headerText(f *field, v reflect.Value) (string, bool) {
	if f.plan.kind != List {
		s := string(appendText(nil, f, v, HTTPDate))
		if f.Flags&JSONValue != 0 {
			s = base64.StdEncoding.EncodeToString([]byte(s))
		}
		return s, true
	}
	el := f.plan.element()
	var parts []string
	for i := range v.Len() {
		x, ok := el.given(v.Index(i))
		if !ok {
			continue
		}
		s := string(appendText(nil, el, x, HTTPDate))
		if el.plan.kind == String && strings.ContainsAny(s, `",`) {
			s = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", "), v.Len() > 0
}

// payloadIn sets the member that is the whole body of a request.
func payloadIn(f *field, v reflect.Value, x *exchange, structure func(b []byte, f *field, v reflect.Value) error) error {
	if f.plan.typ == readerType {
		v.Set(reflect.ValueOf(x.stream()))
		return nil
	}
	b, err := x.body()
	if err != nil {
		return err
	}
	switch f.plan.kind {
	case Blob:
		if len(b) > 0 || x.r.ContentLength > 0 {
			v.SetBytes(append([]byte(nil), b...))
		}
	case String:
		if len(b) > 0 {
			f.target(v).SetString(string(b))
		}
	default:
		if len(b) > 0 {
			return structure(b, f, v)
		}
	}
	return nil
}

// payloadOut writes the member that is the whole body of an answer and returns the content type.
func payloadOut(out *restResponse, f *field, v reflect.Value, given bool, structure func(b []byte, f *field, v reflect.Value) []byte, contentType string) string {
	switch f.plan.kind {
	case Blob:
		if !given {
			return ""
		}
		if f.plan.typ == readerType {
			out.stream = v.Interface().(io.Reader)
		} else {
			out.body = append(out.body, v.Bytes()...)
		}
		if f.Flags&JSONValue != 0 {
			return "application/json"
		}
		return "application/octet-stream"
	case String:
		if given {
			out.body = append(out.body, v.String()...)
			return "text/plain"
		}
		return ""
	}
	if given {
		out.body = structure(out.body, f, v)
	}
	return contentType
}
