package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// httpIntegration is the content type of a stream that begins with a prelude: status, headers and cookies as JSON, then eight zero
// bytes, then the body.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
const httpIntegration = "application/vnd.awslambda.http-integration-response"

var preludeEnd = make([]byte, 8)

// maxPrelude is how long a prelude may be, in bytes: a bound of ours.
const maxPrelude = 256 << 10

// answer is what a function wants its caller to receive.
type answer struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte // of one that is not streamed
}

// prelude collects the beginning of a stream.
type prelude struct{ b []byte }

// add takes a piece of the stream. Once the prelude is complete it returns the answer that it makes, and what of the piece comes after
// it; nil while it is not.
func (p *prelude) add(piece []byte) (*answer, []byte, error) {
	from := max(0, len(p.b)-len(preludeEnd)+1) // the end may lie across two pieces
	p.b = append(p.b, piece...)
	i := bytes.Index(p.b[from:], preludeEnd)
	if i < 0 {
		if len(p.b) > maxPrelude {
			return nil, nil, fmt.Errorf("the prelude of the response has more than %d bytes", maxPrelude)
		}
		return nil, nil, nil
	}
	a, err := parsePrelude(p.b[:from+i])
	return a, p.b[from+i+len(preludeEnd):], err
}

func parsePrelude(b []byte) (*answer, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return nil, fmt.Errorf("the prelude of the response is not JSON: %w", err)
	}
	if isNull(members["statusCode"]) {
		members["statusCode"] = json.RawMessage("200")
	}
	return parseAnswer(members)
}

// parseResponse turns what a function returned into the answer. Without a statusCode all of it is a JSON body.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
func parseResponse(payload []byte) (*answer, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || isNull(members["statusCode"]) {
		return &answer{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: payload}, nil
	}
	a, err := parseAnswer(members)
	if err != nil {
		return nil, err
	}
	if a.body, err = parseBody(members); err != nil {
		return nil, err
	}
	if _, ok := a.headers["Content-Type"]; !ok {
		a.headers["Content-Type"] = "application/json"
	}
	return a, nil
}

// parseAnswer reads everything of an answer but the body.
func parseAnswer(members map[string]json.RawMessage) (*answer, error) {
	a := &answer{headers: map[string]string{}}
	status, err := strconv.Atoi(scalar(members["statusCode"]))
	if err != nil || status < 100 || status > 599 {
		return nil, fmt.Errorf("the statusCode %s is no HTTP status", members["statusCode"])
	}
	a.status = status
	var headers map[string]json.RawMessage
	if err := json.Unmarshal(orNull(members["headers"]), &headers); err != nil {
		return nil, errors.New("headers is not an object")
	}
	for name, value := range headers {
		if isNull(value) {
			continue
		}
		text := scalar(value)
		if text == "" && string(bytes.TrimSpace(value)) != `""` || !validHeader(name, text) {
			return nil, fmt.Errorf("the header %q has a value that no header can have: %s", name, value)
		}
		a.headers[http.CanonicalHeaderKey(name)] = text
	}
	if err := json.Unmarshal(orNull(members["cookies"]), &a.cookies); err != nil {
		return nil, errors.New("cookies is not a list of texts")
	}
	for _, c := range a.cookies {
		if !validHeader("Set-Cookie", c) {
			return nil, fmt.Errorf("%q cannot be a cookie", c)
		}
	}
	return a, nil
}

// parseBody reads an answer's body: a text, in base64 if isBase64Encoded says so, else JSON.
func parseBody(members map[string]json.RawMessage) ([]byte, error) {
	raw := members["body"]
	if isNull(raw) {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw, nil
	}
	if scalar(members["isBase64Encoded"]) != "true" {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the body is not in base64, though isBase64Encoded is true")
	}
	return b, nil
}

// scalar is the text of a JSON string, number or boolean; "" of anything else.
func scalar(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case bool, float64:
		return string(raw)
	}
	return ""
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// validHeader reports whether a name and a value can be sent as a header.
func validHeader(name, value string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`()<>@,;:\"/[]?={}`), c) >= 0 {
			return false
		}
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
