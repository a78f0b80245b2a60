package wire

import (
	"hash/crc32"
	"net/http"
	"reflect"
	"strconv"
)

// decode decodes the request's input.
func (x *exchange) decode(v reflect.Value) error {
	op := x.op
	switch x.protocol {
	case RestJSON1, RestXML:
		if err := decodeREST(x, op.in, v); err != nil {
			return err
		}
		return x.decodeRESTBody(v)
	case AWSQuery, EC2Query:
		tree, err := formTree(x.form)
		if err != nil {
			return err
		}
		return queryDecoder{ec2: x.protocol == EC2Query}.structure(op.in, tree, v)
	}
	b, err := x.body()
	if err != nil || len(b) == 0 {
		return err
	}
	if x.protocol == RPCv2CBOR {
		return decodeCBOR(b, op.in, v)
	}
	return decodeJSON(b, op.in, v, false)
}

// decodeRESTBody decodes the members that travel in the body, or the one that is the body.
func (x *exchange) decodeRESTBody(v reflect.Value) error {
	structure := restJSONBody
	if x.protocol == RestXML {
		structure = restXMLBody
	}
	if i := x.op.inPlaces.payload; i >= 0 {
		f := &x.op.in.fields[i]
		return payloadIn(f, v.Field(f.index), x, structure)
	}
	if !x.op.inPlaces.body {
		return nil
	}
	b, err := x.body()
	if err != nil || len(b) == 0 {
		return err
	}
	return structure(b, &field{plan: x.op.in}, v)
}

// restJSONBody decodes a body that is a structure's own (a field without a member) or one member's.
func restJSONBody(b []byte, f *field, v reflect.Value) error {
	d := jsonDecoder{b: b, rest: f.Member == nil}
	d.space()
	if !d.null() {
		if err := d.value(f, f.target(v)); err != nil {
			return err
		}
	}
	if d.space(); d.i != len(b) {
		return errMalformed()
	}
	return nil
}

func restXMLBody(b []byte, f *field, v reflect.Value) error {
	return decodeXML(b, f, f.target(v))
}

// Content types of answers, ready to be put into a header.
var contentTypes = map[Protocol][]string{
	AWSJSON10: {"application/x-amz-json-1.0"},
	AWSJSON11: {"application/x-amz-json-1.1"},
	AWSQuery:  {"text/xml"},
	EC2Query:  {"text/xml;charset=UTF-8"},
	RestJSON1: {"application/json"},
	RestXML:   {"application/xml"},
	RPCv2CBOR: {"application/cbor"},
}

// answer encodes and sends an operation's output.
func (x *exchange) answer(v reflect.Value) {
	op := x.op
	b := x.begin()
	if x.span != nil && !x.speaksJSON() {
		x.span.Output(traced(op.out, v))
		if !op.streamsEvents() { // else it ends with the stream
			x.end(nil)
		}
	}
	switch x.protocol {
	case RestJSON1, RestXML:
		x.answerREST(b, v)
		return
	case AWSQuery, EC2Query:
		b = op.wrapper.appendAnswer(b, x, v)
	case RPCv2CBOR:
		b = appendCBOR(b, op.out, v)
		x.w.Header()["Smithy-Protocol"] = smithyProtocol
	default:
		b = jsonEncoder{}.structure(b, op.out, v)
		if x.span != nil {
			x.span.Output(b)
			x.end(nil)
		}
		x.checksum(b)
	}
	x.keep(b)
	x.send(http.StatusOK, contentTypes[x.protocol], b, nil)
}

// begin returns what the answer is appended to.
func (x *exchange) begin() []byte {
	if m := x.request.memory; m.part != nil {
		x.out, m.part = m.part, nil
		return m.head[:0]
	}
	x.out = buffers.Get().(*[]byte)
	return (*x.out)[:0]
}

// keep keeps an answer's memory for the next, if it is another than there was. An answer that begins inside what there was
// has less of it.
func (x *exchange) keep(b []byte) {
	if cap(b) > cap(*x.out) {
		*x.out = b
	}
}

var smithyProtocol = []string{"rpc-v2-cbor"}

// checksum sets X-Amz-Crc32 where the service's clients look at it.
func (x *exchange) checksum(b []byte) {
	if x.service != nil && x.service.Model.CRC32 {
		x.w.Header()["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10)}
	}
}

func (x *exchange) answerREST(b []byte, v reflect.Value) {
	op := x.op
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	out := restResponse{header: x.w.Header(), status: status, body: b}
	encodeREST(&out, op.out, v)
	contentType := contentTypes[x.protocol]
	switch {
	case op.outPlace.payload >= 0:
		f := &op.out.fields[op.outPlace.payload]
		val, given := f.given(v.Field(f.index))
		if f.plan.events != nil && given {
			x.end(x.sendEvents(out.status, f, val))
			return
		}
		structure := jsonPayload
		if x.protocol == RestXML {
			structure = x.xmlPayload
		}
		if ct := payloadOut(&out, f, val, given, structure, contentType[0]); ct == "" {
			contentType = nil
		} else if ct != contentType[0] {
			contentType = []string{ct}
		}
	case x.protocol == RestJSON1 && status != http.StatusNoContent:
		out.body = jsonEncoder{}.body(out.body, op.out, v)
	case op.Flags&OpUnwrappedXML != 0:
		out.body = x.unwrapped(append(out.body, xmlHeader...), v)
	case x.protocol == RestXML && op.outPlace.answer:
		out.body = op.wrapper.appendRoot(append(out.body, xmlHeader...), op.out, v)
	default:
		contentType = nil
	}
	x.keep(out.body)
	x.send(out.status, contentType, out.body, out.stream)
}

// streamsEvents reports whether the answer's payload is an event stream.
func (op *operation) streamsEvents() bool {
	return op.outPlace.payload >= 0 && op.out.fields[op.outPlace.payload].plan.events != nil
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func jsonPayload(b []byte, f *field, v reflect.Value) []byte { return jsonEncoder{}.value(b, f, v) }

// xmlPayload writes a member that is the whole document.
func (x *exchange) xmlPayload(b []byte, f *field, v reflect.Value) []byte {
	return x.document(append(b, xmlHeader...), f, rootName(f), v)
}

// unwrapped writes the one member of an output as the document, as S3's GetBucketLocation has it. Nothing given is an empty
// element: the region us-east-1.
func (x *exchange) unwrapped(b []byte, v reflect.Value) []byte {
	for i := range x.op.out.fields {
		f := &x.op.out.fields[i]
		if !f.inAnswerBody() {
			continue
		}
		if val, ok := f.given(v.Field(f.index)); ok {
			return x.document(b, f, f.xml, val)
		}
		b = appendNamespace(append(append(b, '<'), f.xml...), x.service.Model.XMLNamespace, "")
		return append(b, "/>"...)
	}
	return b
}

// document writes an element with the service's namespace, where it has none of its own.
func (x *exchange) document(b []byte, f *field, name string, v reflect.Value) []byte {
	own := *f
	if m := *f.Member; m.XMLNamespace == "" && f.plan.shape.XMLNamespace == "" {
		m.XMLNamespace = x.service.Model.XMLNamespace
		own.Member = &m
	}
	return xmlEncoder{}.member(b, &own, name, v)
}

// rootName is the element of a structure that is a whole document.
func rootName(f *field) string {
	switch s := f.plan.shape; {
	case f.Member != nil && f.XMLName != "":
		return f.XMLName
	case s.XMLName != "":
		return s.XMLName
	default:
		return s.Name
	}
}

// queryWrapper is what stands around an answer in XML, worked out once an operation.
type queryWrapper struct{ open, result, end, root, rootClose string }

func newQueryWrapper(op *operation) queryWrapper {
	ns := string(appendNamespace(nil, op.service.Model.XMLNamespace, ""))
	w := queryWrapper{
		open:   "<" + op.Name + "Response" + ns + ">",
		result: op.Name + "Result",
		end:    "</" + op.Name + "Response>",
	}
	root := rootName(&field{plan: op.out})
	rootNS := ns
	if s := op.out.shape; s.XMLNamespace != "" {
		rootNS = string(appendNamespace(nil, s.XMLNamespace, s.XMLPrefix))
	}
	w.root, w.rootClose = "<"+root+rootNS, root
	return w
}

// appendRoot writes the output as REST-XML's document.
func (w *queryWrapper) appendRoot(b []byte, p *plan, v reflect.Value) []byte {
	return closeElement(xmlEncoder{rest: true}.structure(append(b, w.root...), p, v), w.rootClose)
}

// appendAnswer writes the answer of a Query or EC2 operation.
func (w *queryWrapper) appendAnswer(b []byte, x *exchange, v reflect.Value) []byte {
	b = append(b, w.open...)
	if x.protocol == EC2Query {
		b = xmlEncoder{}.structure(b[:len(b)-1], x.op.out, v)
		b = append(append(append(b, "<requestId>"...), x.request.ID...), "</requestId>"...)
		return append(b, w.end...)
	}
	if len(x.op.out.fields) > 0 {
		b = append(append(b, '<'), w.result...)
		b = closeElement(xmlEncoder{}.structure(b, x.op.out, v), w.result)
	}
	b = append(b, "<ResponseMetadata><RequestId>"...)
	b = append(append(b, x.request.ID...), "</RequestId></ResponseMetadata>"...)
	return append(b, w.end...)
}
