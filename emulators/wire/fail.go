package wire

import (
	"errors"
	"reflect"
	"strings"

	"devstack/internal/jsontext"
)

// fail answers an error in the request's protocol.
func (x *exchange) fail(err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		x.server.Log.Error("a request failed", "path", x.r.URL.Path, "error", err)
		e = errInternal
	}
	if strings.HasPrefix(e.Message, errInternal.Message) && x.service != nil && x.hasError("InternalServerError") {
		e = Errorf("InternalServerError", 500, "%s", e.Message) // its own name for it
	}
	if x.protocol == 0 {
		x.protocol = x.guessProtocol()
	}
	if x.out == nil {
		x.out = buffers.Get().(*[]byte)
	}
	b := (*x.out)[:0]
	switch x.protocol {
	case AWSQuery, EC2Query, RestXML:
		b = x.appendXMLError(b, e)
	case RPCv2CBOR:
		b = x.appendCBORError(b, e)
		x.w.Header()["Smithy-Protocol"] = smithyProtocol
	default:
		b = x.appendJSONError(b, e)
	}
	x.errorHeaders(e)
	if x.protocol == AWSJSON10 || x.protocol == AWSJSON11 {
		x.checksum(b)
	}
	*x.out = b
	status := e.Status
	if status < 400 {
		status = 400
	}
	x.send(status, contentTypes[x.protocol], b, nil)
}

// guessProtocol is for errors of requests that belong to no service.
func (x *exchange) guessProtocol() Protocol {
	if isForm(x.r.Header["Content-Type"]) {
		return AWSQuery
	}
	return RestJSON1
}

// errorShape finds the structure of an error in the model; nil for those that all services have.
func (x *exchange) errorShape(e *Error) *Shape {
	if x.service != nil {
		if i, ok := x.service.lookups().errors[e.Code]; ok {
			return &x.service.Model.Shapes[i]
		}
	}
	return nil
}

func (x *exchange) hasError(code string) bool {
	_, ok := x.service.lookups().errors[code]
	return ok
}

func (x *exchange) errorHeaders(e *Error) {
	h := x.w.Header()
	s := x.errorShape(e)
	if x.protocol == RestJSON1 {
		h["X-Amzn-Errortype"] = []string{e.Code}
	}
	if x.service != nil && x.service.Model.QueryCompat && x.protocol != AWSQuery {
		fault := "Receiver"
		if e.Sender {
			fault = "Sender"
		}
		h["X-Amzn-Query-Error"] = []string{legacyCode(e, s) + ";" + fault}
	}
	if s == nil || x.protocol != RestJSON1 && x.protocol != RestXML {
		return
	}
	for i := range s.Members {
		m := &s.Members[i]
		if m.Location != InHeader {
			continue
		}
		v, ok := e.Fields[m.Name]
		if !ok && strings.EqualFold(m.Name, "message") {
			v, ok = e.Message, true
		}
		if ok {
			f, val := x.errorField(m, v)
			if text, ok := headerText(f, val); ok {
				setHeader(h, m.WireName, text)
			}
		}
	}
}

// legacyCode is what Query clients know an error by.
func legacyCode(e *Error, s *Shape) string {
	if s != nil && s.ErrorCode != "" {
		return s.ErrorCode
	}
	return e.Code
}

// errorField plans a value of an error's member by the type that the service gave it.
func (x *exchange) errorField(m *Member, value any) (*field, reflect.Value) {
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	t := v.Type()
	if want, ok := goTypes[x.service.Model.Shapes[m.Shape].Kind]; ok && t != want && t.ConvertibleTo(want) {
		v, t = v.Convert(want), want // a service may give an untyped constant
	}
	f := x.service.planner.one(m, t)
	return f, v
}

// one plans a single member.
func (p *planner) one(m *Member, t reflect.Type) *field {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.field(m, t)
	return &f
}

// errorMember is a member of an error's structure that has a value.
type errorMember struct {
	name  string // on the wire
	field *field
	value reflect.Value
}

// errorMembers returns what an error carries besides its code: the message under the name that the structure gives it, and
// the further members in the model's order. name picks the member's name in the protocol.
func (x *exchange) errorMembers(e *Error, name func(*field) string) (message string, more []errorMember) {
	s := x.errorShape(e)
	if s == nil {
		return x.commonMessage(e.Code), nil
	}
	for i := range s.Members {
		m := &s.Members[i]
		if m.Location == InHeader || m.Location == InStatus {
			continue
		}
		if strings.EqualFold(m.Name, "message") {
			if message = m.WireName; message == "" {
				message = m.Name
			}
			continue
		}
		if v, ok := e.Fields[m.Name]; ok && v != nil {
			f, val := x.errorField(m, v)
			more = append(more, errorMember{name(f), f, val})
		}
	}
	return message, more
}

// commonMessage is how the message of a common error is spelt: with a capital in those of the framework's own that
// DynamoDB answers ({"__type":"com.amazon.coral.service#SerializationException","Message":"…"}), elsewhere without.
func (x *exchange) commonMessage(code string) string {
	if (code == codeSerialization || code == "AccessDeniedException") && x.service != nil && x.service.Model.ErrorNamespace != "" {
		return "Message"
	}
	return "message"
}

// errorType is __type: the bare code, or with the namespace that the service answers. Errors that are not of its model come
// from AWS's framework and have the framework's.
// DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func (x *exchange) errorType(code string) string {
	if x.service == nil || x.service.Model.ErrorNamespace == "" {
		return code
	}
	if _, own := x.service.lookups().errors[code]; own {
		return x.service.Model.ErrorNamespace + "#" + code
	}
	if code == "ValidationException" {
		return "com.amazon.coral.validate#" + code
	}
	return "com.amazon.coral.service#" + code
}

func (x *exchange) appendJSONError(b []byte, e *Error) []byte {
	message, more := x.errorMembers(e, func(f *field) string { return f.json })
	b = append(b, '{')
	if x.protocol != RestJSON1 {
		b = append(b, `"__type":`...)
		b = jsontext.AppendString(b, x.errorType(e.Code))
	}
	comma := func() {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
	}
	if message != "" && e.Message != "" {
		comma()
		b = append(jsontext.AppendString(b, message), ':')
		b = jsontext.AppendString(b, e.Message)
	}
	for _, m := range more {
		comma()
		b = append(jsontext.AppendString(b, m.name), ':')
		b = jsonEncoder{}.value(b, m.field, m.value)
	}
	return append(b, '}')
}

// appendXMLError writes an error as Query, EC2 and REST-XML have it.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (x *exchange) appendXMLError(b []byte, e *Error) []byte {
	s := x.errorShape(e)
	_, more := x.errorMembers(e, func(f *field) string { return f.xml })
	if x.protocol == RestXML || x.protocol == EC2Query {
		b = append(b, xmlHeader...)
	}
	unwrapped := x.protocol == RestXML && x.service != nil && x.service.Model.UnwrappedError
	switch {
	case x.protocol == EC2Query:
		b = append(b, "<Response><Errors><Error>"...)
	case unwrapped:
		b = append(b, "<Error>"...)
	default:
		b = append(b, "<ErrorResponse"...)
		if x.service != nil {
			b = appendNamespace(b, x.service.Model.XMLNamespace, "")
		}
		b = append(b, "><Error>"...)
	}
	if x.protocol != EC2Query && !unwrapped {
		b = append(b, "<Type>"...)
		if e.Sender {
			b = append(b, "Sender</Type>"...)
		} else {
			b = append(b, "Receiver</Type>"...)
		}
	}
	b = append(appendXMLText(append(b, "<Code>"...), legacyCode(e, s)), "</Code>"...)
	if e.Message != "" {
		b = append(appendXMLText(append(b, "<Message>"...), e.Message), "</Message>"...)
	}
	for _, m := range more {
		b = xmlEncoder{}.member(b, m.field, m.name, m.value)
	}
	switch {
	case x.protocol == EC2Query:
		b = append(b, "</Error></Errors><RequestID>"...)
		return append(append(b, x.request.ID...), "</RequestID></Response>"...)
	case unwrapped:
		b = append(b, "<RequestId>"...)
		return append(append(b, x.request.ID...), "</RequestId></Error>"...)
	}
	b = append(b, "</Error><RequestId>"...)
	return append(append(b, x.request.ID...), "</RequestId></ErrorResponse>"...)
}
