package js

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// Schema tells the SDK's clients what they must know of a service's model. An adapter of the wire's model satisfies it.
// Its methods may be called from any goroutine.
type Schema interface {
	// Operations are the names of all operations of a service, whether they are carried out or not; none if there is no
	// such service. They become the client's commands.
	Operations(service string) []string

	// Errors are the names of a service's error structures: "ConditionalCheckFailedException". The client exports a class
	// for each.
	Errors(service string) []string

	// Enums are the values of a service's enumerations in the model's order, by the shapes' names.
	Enums(service string) map[string][]string

	// Types are an operation's input and output as far as JSON cannot show them: nil where there is neither a blob nor a
	// timestamp. They may be recursive, and must not change: they are read by many goroutines.
	Types(service, operation string) (in, out *Type)

	// ErrorType is the same of an error's structure.
	ErrorType(service, name string) *Type
}

// Type is a shape with a blob or a timestamp in it. Exactly one of its members is set.
type Type struct {
	Blob      bool             // base64 in JSON, a Uint8Array in the script; a string given is its UTF-8
	Timestamp bool             // seconds since 1970 in JSON, a Date in the script
	Members   map[string]*Type // of a structure or union: those that have one inside; the others are left out
	Element   *Type            // of a list, or of a map's values
}

// awsError is an error of a service, as the emulators' wire makes them.
type awsError interface {
	ErrorCode() string    // "ResourceNotFoundException"
	ErrorMessage() string // the service's words
	HTTPStatus() int
}

// awsService is a service that the clients know: our name of it, and the SDK's.
type awsService struct {
	service string // "stepfunctions"
	class   string // "SFN": the clients are SFNClient and SFN, the errors' base class SFNServiceException
}

// services are the SDK's client packages. One can be imported if the Schema knows its service.
var services = map[string]awsService{
	"@aws-sdk/client-apigatewayv2":     {"apigateway", "ApiGatewayV2"},
	"@aws-sdk/client-cloudformation":   {"cloudformation", "CloudFormation"},
	"@aws-sdk/client-cloudwatch":       {"cloudwatch", "CloudWatch"},
	"@aws-sdk/client-cloudwatch-logs":  {"logs", "CloudWatchLogs"},
	"@aws-sdk/client-dynamodb":         {"dynamodb", "DynamoDB"},
	"@aws-sdk/client-dynamodb-streams": {"dynamodbstreams", "DynamoDBStreams"},
	"@aws-sdk/client-elasticache":      {"elasticache", "ElastiCache"},
	"@aws-sdk/client-eventbridge":      {"eventbridge", "EventBridge"},
	"@aws-sdk/client-firehose":         {"firehose", "Firehose"},
	"@aws-sdk/client-iam":              {"iam", "IAM"},
	"@aws-sdk/client-kinesis":          {"kinesis", "Kinesis"},
	"@aws-sdk/client-kms":              {"kms", "KMS"},
	"@aws-sdk/client-lambda":           {"lambda", "Lambda"},
	"@aws-sdk/client-s3":               {"s3", "S3"},
	"@aws-sdk/client-scheduler":        {"scheduler", "Scheduler"},
	"@aws-sdk/client-secrets-manager":  {"secretsmanager", "SecretsManager"},
	"@aws-sdk/client-sfn":              {"stepfunctions", "SFN"},
	"@aws-sdk/client-sns":              {"sns", "SNS"},
	"@aws-sdk/client-sqs":              {"sqs", "SQS"},
	"@aws-sdk/client-ssm":              {"ssm", "SSM"},
	"@aws-sdk/client-sts":              {"sts", "STS"},
}

func (s *sandbox) awsFunctions() map[string]any { return map[string]any{"call": s.hostCall} }

// clientModule is an SDK client package. What it exports is made by aws.js when it is first asked for: a client has hundreds
// of names, and a function uses a few.
type clientModule struct {
	s       *sandbox
	exports map[string]clientExport
	create  goja.Callable // (kind, name, values) → the export
	made    map[string]goja.Value
}

// clientExport is what an export is: a "client", "aggregate", "base", "command", "paginator", "error", "enum" or "waiter".
type clientExport struct {
	kind   string
	name   string   // without prefix or suffix
	values []string // of an enumeration, or the operations of an aggregated client
}

// waiters are the clients' waiters that aws.js has, by service.
var waiters = map[string][]string{
	"dynamodb": {"TableExists", "TableNotExists"},
	"lambda":   {"FunctionActive", "FunctionActiveV2", "FunctionExists", "FunctionUpdated", "FunctionUpdatedV2", "PublishedVersionActive"},
}

// clientExports are the exports of a service's client by their names.
func (e *Engine) clientExports(svc awsService) map[string]clientExport {
	schema := e.opts.Schema
	operations := schema.Operations(svc.service)
	m := map[string]clientExport{}
	for name, values := range schema.Enums(svc.service) {
		m[name] = clientExport{"enum", name, values}
	}
	for _, name := range schema.Errors(svc.service) {
		m[name] = clientExport{"error", name, nil}
	}
	for _, op := range operations {
		m[op+"Command"] = clientExport{"command", op, nil}
		for _, verb := range [...]string{"List", "Query", "Scan", "Describe", "Get", "Filter"} {
			if strings.HasPrefix(op, verb) {
				m["paginate"+op] = clientExport{"paginator", op, nil}
			}
		}
	}
	for _, what := range waiters[svc.service] {
		for _, verb := range [...]string{"waitUntil", "waitFor"} {
			m[verb+what] = clientExport{"waiter", verb + what, nil}
		}
	}
	m[svc.class] = clientExport{"aggregate", svc.class, operations}
	m[svc.class+"Client"] = clientExport{"client", svc.class, nil}
	m[svc.class+"ServiceException"] = clientExport{"base", svc.class, nil}
	return m
}

// clientModule makes a client package for a sandbox.
func (s *sandbox) clientModule(name string, svc awsService) (goja.Value, error) {
	if s.engine.opts.Schema == nil {
		return nil, sentence("Cannot find module '" + name + "'")
	}
	aws, err := s.load1("devstack:aws")
	if err != nil {
		return nil, err
	}
	exports, _ := s.engine.clients.LoadOrStore(svc.service, sync.OnceValue(func() map[string]clientExport { return s.engine.clientExports(svc) }))
	m := &clientModule{s: s, exports: exports.(func() map[string]clientExport)(), made: map[string]goja.Value{}}
	obj := s.rt.NewDynamicObject(m)
	newModule, _ := goja.AssertFunction(aws.ToObject(s.rt).Get("clientModule"))
	create, err := newModule(goja.Undefined(), s.rt.ToValue(svc.service), s.rt.ToValue(svc.class), obj)
	if err != nil {
		return nil, err
	}
	m.create, _ = goja.AssertFunction(create)
	return obj, nil
}

// Get returns an export, nil for a name that is none.
func (m *clientModule) Get(key string) goja.Value {
	if v := m.made[key]; v != nil {
		return v
	}
	e, ok := m.exports[key]
	if !ok {
		return nil
	}
	values := make([]any, len(e.values))
	for i, v := range e.values {
		values[i] = v
	}
	v, err := m.create(goja.Undefined(), m.s.rt.ToValue(e.kind), m.s.rt.ToValue(e.name), m.s.rt.NewArray(values...))
	if err != nil {
		panic(m.s.hostError(err))
	}
	m.made[key] = v
	return v
}

// Set refuses: exports are constant.
func (m *clientModule) Set(string, goja.Value) bool { return false }

// Has reports whether there is an export of that name.
func (m *clientModule) Has(key string) bool { _, ok := m.exports[key]; return ok }

// Delete refuses.
func (m *clientModule) Delete(string) bool { return false }

// Keys are the names of all exports.
func (m *clientModule) Keys() []string { return slices.Sorted(maps.Keys(m.exports)) }

// operationTypes are what the Schema says of an operation.
type operationTypes struct{ in, out *Type }

// typesOf asks the Schema once for each operation.
func (e *Engine) typesOf(service, operation string) operationTypes {
	key := service + "." + operation
	if t, ok := e.types.Load(key); ok {
		return t.(operationTypes)
	}
	var t operationTypes
	t.in, t.out = e.opts.Schema.Types(service, operation)
	e.types.Store(key, t)
	return t
}

// hostCall implements host.call(service, operation, input) → a promise of the output. It rejects with what awsFailure makes.
func (s *sandbox) hostCall(call goja.FunctionCall) goja.Value {
	service, operation := call.Argument(0).String(), call.Argument(1).String()
	types := s.engine.typesOf(service, operation)
	enc := encoder{s: s}
	if err := enc.value(call.Argument(2), types.in, 0); err != nil {
		s.throw("TypeError", "%s: %v", operation, err)
	}
	in := json.RawMessage(enc.b.Bytes())
	return s.async(func(ctx context.Context) (func() goja.Value, error) {
		if s.engine.opts.AWS == nil {
			return nil, errors.New("there is no AWS to call")
		}
		var out json.RawMessage
		if err := s.engine.opts.AWS.Call(ctx, service, operation, in, &out); err != nil {
			return nil, &refusal{err, service}
		}
		return func() goja.Value {
			v, err := s.parse(out, types.out)
			if err != nil { // an operation without an output
				return s.rt.NewObject()
			}
			return v
		}, nil
	})
}

// awsFailure is the value that host.call rejects with: {name, message, status, fields}.
func (s *sandbox) awsFailure(err error, ae awsError) goja.Value {
	obj := s.rt.NewObject()
	_ = obj.Set("aws", true)
	_ = obj.Set("name", ae.ErrorCode())
	_ = obj.Set("message", ae.ErrorMessage())
	_ = obj.Set("status", ae.HTTPStatus())
	var more interface{ ErrorFields() map[string]any }
	if errors.As(err, &more) && len(more.ErrorFields()) > 0 {
		types := s.errorType(err, ae.ErrorCode())
		if text, err := json.Marshal(more.ErrorFields()); err == nil {
			if v, err := s.parse(text, types); err == nil {
				_ = obj.Set("fields", v)
			}
		}
	}
	return obj
}

// refusal is a service's error.
type refusal struct {
	error
	service string
}

// Unwrap returns the error as the service made it.
func (r *refusal) Unwrap() error { return r.error }

// errorType is what the Schema says of a service's error.
func (s *sandbox) errorType(err error, name string) *Type {
	var r *refusal
	if !errors.As(err, &r) {
		return nil
	}
	return s.engine.opts.Schema.ErrorType(r.service, name)
}

// encoder writes an operation's input as JSON.
type encoder struct {
	s *sandbox
	b bytes.Buffer
}

// The types as which goja exports bytes and dates.
var (
	bytesType  = reflect.TypeFor[[]byte]()
	bufferType = reflect.TypeFor[goja.ArrayBuffer]()
	timeType   = reflect.TypeFor[time.Time]()
)

// maxNesting is how deep an input may be nested; AWS refuses far less.
const maxNesting = 200

func (e *encoder) value(v goja.Value, t *Type, depth int) error {
	if depth > maxNesting {
		return errors.New("the input is nested too deeply, or contains itself")
	}
	obj, ok := v.(*goja.Object)
	if !ok {
		e.primitive(v, t)
		return nil
	}
	switch obj.ExportType() { // exporting a plain object would copy it whole
	case bytesType, bufferType:
		e.text(base64.StdEncoding.EncodeToString(e.s.bytes(obj)))
		return nil
	case timeType:
		ms := obj.Export().(time.Time).UnixMilli()
		e.b.WriteString(strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64))
		return nil
	}
	return e.object(obj, t, depth)
}

func (e *encoder) object(obj *goja.Object, t *Type, depth int) error {
	var element *Type
	if t != nil {
		element = t.Element
	}
	if obj.ClassName() == "Array" {
		e.b.WriteByte('[')
		for i := range int(obj.Get("length").ToInteger()) {
			if i > 0 {
				e.b.WriteByte(',')
			}
			item := obj.Get(strconv.Itoa(i))
			if item == nil || goja.IsUndefined(item) {
				item = goja.Null()
			}
			if err := e.value(item, element, depth+1); err != nil {
				return err
			}
		}
		e.b.WriteByte(']')
		return nil
	}
	e.b.WriteByte('{')
	first := true
	for _, k := range obj.Keys() {
		v := obj.Get(k)
		if _, isFunc := goja.AssertFunction(v); isFunc || v == nil || goja.IsUndefined(v) {
			continue
		}
		if !first {
			e.b.WriteByte(',')
		}
		first = false
		e.text(k)
		e.b.WriteByte(':')
		inner := element
		if t != nil && t.Members != nil {
			inner = t.Members[k]
		}
		if err := e.value(v, inner, depth+1); err != nil {
			return err
		}
	}
	e.b.WriteByte('}')
	return nil
}

func (e *encoder) primitive(v goja.Value, t *Type) {
	switch {
	case v == nil || goja.IsUndefined(v) || goja.IsNull(v):
		e.b.WriteString("null")
	case isString(v):
		if t != nil && t.Blob {
			e.text(base64.StdEncoding.EncodeToString([]byte(v.String())))
			return
		}
		e.text(v.String())
	default: // a number, a BigInt or a boolean
		if text := v.String(); text == "NaN" || text == "Infinity" || text == "-Infinity" {
			e.text(text) // as the SDK writes them
		} else {
			e.b.WriteString(text)
		}
	}
}

func (e *encoder) text(s string) { e.b.Write(marshal(s)) }

// blob makes the SDK's Uint8ArrayBlobAdapter: a Uint8Array with transformToString.
func (s *sandbox) blob(b []byte) (goja.Value, error) {
	m, err := s.load1("devstack:aws")
	if err != nil {
		return nil, err
	}
	return s.rt.New(m.ToObject(s.rt).Get("Uint8ArrayBlobAdapter"), s.arrayBuffer(b))
}

// stringify is the script's JSON.stringify. What has no JSON is "null".
func (s *sandbox) stringify(v goja.Value) (string, error) {
	f, _ := goja.AssertFunction(s.rt.Get("JSON").ToObject(s.rt).Get("stringify"))
	out, err := f(goja.Undefined(), v)
	if err != nil {
		return "", err
	}
	if goja.IsUndefined(out) {
		return "null", nil
	}
	return out.String(), nil
}
