package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The service of these tests: one of each thing that routing, checking and the error shapes look at.
type (
	putInput struct {
		TableName *string
		Mode      *string
		Count     *int32
		Tags      []tag
		Groups    []string
		Blob      []byte
		At        *time.Time
		Secret    *string
	}
	tag       struct{ Key, Value *string }
	putOutput struct {
		Name  *string
		At    *time.Time
		Items map[string]tag
	}
	emptyInput  struct{}
	whoOutput   struct{ Account, Region, Id *string }
	failInput   struct{ How *string }
	emptyOutput struct{}
)

const (
	shapeString = iota
	shapeName
	shapeMode
	shapeCount
	shapeTagKey
	shapeTag
	shapeTags
	shapeGroup
	shapeGroups
	shapeBlob
	shapeTime
	shapeSecret
	shapePut
	shapePutOut
	shapeItems
	shapeEmpty
	shapeWho
	shapeFail
	shapeGone
	shapeReason
)

func testModel() *Model {
	return &Model{
		Service: "thing", Name: "Thing_20200101", Namespace: "com.amazonaws.thing", Version: "2020-01-01", SigningName: "thing",
		EndpointPrefix: "thing", Protocols: []Protocol{AWSJSON10, AWSQuery, RestJSON1, RPCv2CBOR}, XMLNamespace: "https://thing/doc/",
		Operations: []Operation{
			{Name: "Absent", Input: -1, Output: -1, Method: "GET", URI: "/absent", Status: 200},
			{Name: "Fail", Input: shapeFail, Output: shapeEmpty, Flags: OpImplemented, Method: "POST", URI: "/fail", Status: 200},
			{Name: "Put", Input: shapePut, Output: shapePutOut, Flags: OpImplemented, Method: "POST", URI: "/things", Status: 201},
			{Name: "Who", Input: shapeEmpty, Output: shapeWho, Flags: OpImplemented, Method: "GET", URI: "/who", Status: 200},
		},
		Shapes: []Shape{
			shapeString: {Name: "String", Kind: String},
			shapeName:   {Name: "Name", Kind: String, Pattern: "[a-z]+", Bounds: &Bounds{Min: 3, Max: 5, HasMin: true, HasMax: true}},
			shapeMode:   {Name: "Mode", Kind: String, Enum: []string{"FAST", "SLOW"}},
			shapeCount:  {Name: "Count", Kind: Integer, Bounds: &Bounds{Max: 10, HasMax: true}},
			shapeTagKey: {Name: "TagKey", Kind: String, Bounds: &Bounds{Max: 4, HasMax: true}},
			shapeTag:    {Name: "Tag", Kind: Structure, Members: []Member{{Name: "Key", Shape: shapeTagKey, Flags: Required}, {Name: "Value", Shape: shapeString}}},
			shapeTags:   {Name: "Tags", Kind: List, Members: []Member{{Name: "member", Shape: shapeTag}}},
			shapeGroup:  {Name: "Group", Kind: String, Pattern: "sg-[0-9]*"},
			shapeGroups: {Name: "Groups", Kind: List, Members: []Member{{Name: "member", Shape: shapeGroup}}},
			shapeBlob:   {Name: "Blob", Kind: Blob},
			shapeTime:   {Name: "Time", Kind: Timestamp},
			shapeSecret: {Name: "Secret", Kind: String, Flags: Sensitive, Bounds: &Bounds{Max: 2, HasMax: true}},
			shapePut: {Name: "PutInput", Kind: Structure, Members: []Member{
				{Name: "TableName", Shape: shapeName, Flags: Required}, {Name: "Mode", Shape: shapeMode}, {Name: "Count", Shape: shapeCount},
				{Name: "Tags", Shape: shapeTags}, {Name: "Groups", Shape: shapeGroups}, {Name: "Blob", Shape: shapeBlob}, {Name: "At", Shape: shapeTime},
				{Name: "Secret", Shape: shapeSecret}}},
			shapePutOut: {Name: "PutOutput", Kind: Structure, Members: []Member{{Name: "Name", Shape: shapeString}, {Name: "At", Shape: shapeTime}, {Name: "Items", Shape: shapeItems}}},
			shapeItems:  {Name: "Items", Kind: Map, Members: []Member{{Name: "key", Shape: shapeString}, {Name: "value", Shape: shapeTag}}},
			shapeEmpty:  {Name: "Empty", Kind: Structure},
			shapeWho:    {Name: "WhoOutput", Kind: Structure, Members: []Member{{Name: "Account", Shape: shapeString}, {Name: "Region", Shape: shapeString}, {Name: "Id", Shape: shapeString}}},
			shapeFail:   {Name: "FailInput", Kind: Structure, Members: []Member{{Name: "How", Shape: shapeString}}},
			shapeGone: {Name: "GoneException", Kind: Structure, ErrorStatus: 404, ErrorCode: "Thing.Gone",
				Members: []Member{{Name: "message", Shape: shapeString}, {Name: "Reasons", Shape: shapeReason}}},
			shapeReason: {Name: "Reasons", Kind: List, Members: []Member{{Name: "member", Shape: shapeTag}}},
		},
	}
}

func ptr[T any](v T) *T { return &v }

func testService() *Service {
	return NewService(testModel(), map[string]Handler{
		"Put": Handle(func(_ context.Context, in *putInput) (*putOutput, error) {
			out := &putOutput{Name: in.TableName, At: in.At, Items: map[string]tag{}}
			for _, t := range in.Tags {
				out.Items[*t.Key] = t
			}
			return out, nil
		}),
		"Who": Handle(func(ctx context.Context, _ *emptyInput) (*whoOutput, error) {
			r := From(ctx)
			return &whoOutput{&r.Account, &r.Region, &r.ID}, nil
		}),
		"Fail": Handle(func(_ context.Context, in *failInput) (*emptyOutput, error) {
			switch *in.How {
			case "panic":
				panic("on purpose")
			case "internal":
				return nil, errors.New("a detail that clients must not see")
			case "wrapped":
				return nil, fmt.Errorf("around it: %w", Errorf("GoneException", 404, "It is gone."))
			}
			return nil, Errorf("GoneException", 404, "It is <gone>.").With("Reasons", []tag{{Key: ptr("k")}})
		}),
	})
}

func testServer(t testing.TB) *Server {
	t.Helper()
	return NewServer(Config{Services: []*Service{testService()}, NewID: func() string { return "request-1" }, Now: time.Now})
}

// ask sends a request and returns status, body and header.
func ask(t *testing.T, s http.Handler, method, url, body string, header map[string]string) (int, string, http.Header) {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:4566"+url, strings.NewReader(body))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(b), w.Header()
}

func jsonTarget(op string) map[string]string {
	return map[string]string{"X-Amz-Target": "Thing_20200101." + op, "Content-Type": "application/x-amz-json-1.0"}
}

func TestJSONRoundTrip(t *testing.T) {
	s := testServer(t)
	status, body, h := ask(t, s, "POST", "/", `{"TableName":"abc","At":1.5,"Tags":[{"Key":"a","Value":"\u00e9\n"},{"Key":"b"}],"Unknown":[{}]}`, jsonTarget("Put"))
	want := `{"Name":"abc","At":1.5,"Items":{"a":{"Key":"a","Value":"é\n"},"b":{"Key":"b"}}}`
	if status != 200 || body != want {
		t.Errorf("got %d %s, want %s", status, body, want)
	}
	if got := h.Get("X-Amzn-Requestid"); got != "request-1" {
		t.Errorf("request id %q", got)
	}
	if got := h.Get("Content-Type"); got != "application/x-amz-json-1.0" {
		t.Errorf("content type %q", got)
	}
}

func TestCurlsBodiesAreNoForms(t *testing.T) {
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if status, body, _ := ask(t, testServer(t), "POST", "/things", `{"TableName":"abc","Mode":"FAST","Tags":[{"Key":"100%"}]}`, h); status != 201 {
		t.Errorf("got %d %s", status, body)
	}
	if status, body, _ := ask(t, testServer(t), "POST", "/?Action=Put&Version=2020-01-01", "TableName=abc", h); status != 200 {
		t.Errorf("an action in the URL, the rest in the body: got %d %s", status, body)
	}
}

func TestCallTakesAndGivesJSONOrTheTypes(t *testing.T) {
	s := testServer(t)
	var typed putOutput
	if err := s.Call(t.Context(), "thing", "Put", &putInput{TableName: ptr("abc")}, &typed); err != nil || *typed.Name != "abc" {
		t.Errorf("typed: %v %v", typed, err)
	}
	var raw json.RawMessage
	if err := s.Call(t.Context(), "thing", "Put", map[string]any{"tableName": "abc"}, &raw); err != nil || string(raw) != `{"Name":"abc","Items":{}}` {
		t.Errorf("raw: %s %v", raw, err)
	}
	var other struct{ Account, Region string }
	ctx := WithRequest(t.Context(), &Request{Account: "123456789012", Region: "eu-west-1"})
	if err := s.Call(ctx, "thing", "Who", nil, &other); err != nil || other.Account != "123456789012" || other.Region != "eu-west-1" {
		t.Errorf("other: %v %v", other, err)
	}
	var refused *Error
	err := s.Call(t.Context(), "thing", "Fail", map[string]string{"How": "expected"}, nil)
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if fields, bad := json.Marshal(refused.ErrorFields()); bad != nil || string(fields) != `{"Reasons":[{"Key":"k"}]}` {
		t.Errorf("an error's members are %s, %v", fields, bad)
	}
	err = s.Call(t.Context(), "thing", "Put", json.RawMessage(`{"TableName":"A"}`), nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "ValidationException" {
		t.Errorf("want a ValidationException, got %v", err)
	}
}

func TestConstraintsAreToldAllAtOnce(t *testing.T) {
	s := testServer(t)
	for _, tt := range []struct{ name, in, want string }{
		{"a required member", `{}`,
			"1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"},
		{"pattern before length", `{"TableName":"A"}`,
			"2 validation errors detected: Value 'A' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+; " +
				"Value 'A' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		{"an enumeration and a range", `{"TableName":"abc","Mode":"X","Count":11}`,
			"2 validation errors detected: Value 'X' at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [FAST, SLOW]; " +
				"Value '11' at 'count' failed to satisfy constraint: Member must have value less than or equal to 10"},
		{"a structure in a list", `{"TableName":"abc","Tags":[{"Key":"a"},{"Key":"abcde"}]}`,
			"1 validation error detected: Value 'abcde' at 'tags.2.member.key' failed to satisfy constraint: Member must have length less than or equal to 4"},
		{"a scalar in a list is told at the list", `{"TableName":"abc","Groups":["sg-1","x"]}`,
			"1 validation error detected: Value '[sg-1, x]' at 'groups' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: sg-[0-9]*]"},
		{"a sensitive value is not shown", `{"TableName":"abc","Secret":"hush"}`,
			"1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, _ := ask(t, s, "POST", "/", tt.in, jsonTarget("Put"))
			var e struct{ Message string }
			if err := json.Unmarshal([]byte(body), &e); err != nil || status != 400 || e.Message != tt.want {
				t.Errorf("got %d %s\nwant %s", status, body, tt.want)
			}
		})
	}
}

func TestScopeSaysAccountAndRegion(t *testing.T) {
	s := testServer(t)
	auth := map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-west-1/thing/aws4_request, SignedHeaders=host, Signature=0"}
	status, body, _ := ask(t, s, "GET", "/who", "", auth)
	if want := `{"Account":"123456789012","Region":"eu-west-1","Id":"request-1"}`; status != 200 || body != want {
		t.Errorf("got %d %s, want %s", status, body, want)
	}
	status, body, _ = ask(t, s, "GET", "/who?X-Amz-Credential=AKIA%2F20260101%2Fus-west-2%2Fthing%2Faws4_request", "", nil)
	if want := `{"Account":"000000000000","Region":"us-west-2","Id":"request-1"}`; status != 200 || body != want {
		t.Errorf("presigned: got %d %s, want %s", status, body, want)
	}
}

// A caller in process need not make up idempotency tokens, and does not see those that were made up for it.
func TestCallFillsTokens(t *testing.T) {
	m := testModel()
	m.Shapes[shapePut].Members[0].Flags |= IdempotencyToken
	got := ""
	svc := NewService(m, map[string]Handler{"Put": Handle(func(_ context.Context, in *putInput) (*putOutput, error) {
		got = *in.TableName
		return nil, nil
	})})
	s := NewServer(Config{Services: []*Service{svc}, NewID: func() string { return "token" }})
	in := &putInput{}
	if err := s.Call(t.Context(), "thing", "Put", in, nil); err != nil || got != "token" || in.TableName != nil {
		t.Errorf("got %q, %v, %v", got, in.TableName, err)
	}
}

// A trace hears of what was asked and answered, secrets included.
func TestTraceShowsWhatWasAskedAndAnswered(t *testing.T) {
	var told []string
	s := NewServer(Config{Services: []*Service{testService()}, NewID: func() string { return "id" },
		Trace: func(ctx context.Context, r *Request) (context.Context, Span) {
			told = append(told, r.Service+"."+r.Operation)
			return ctx, listener{&told}
		}})
	ask(t, s, "POST", "/", `{"TableName": "abc", "Secret": "pw"}`, jsonTarget("Put"))
	_ = s.Call(t.Context(), "thing", "Fail", map[string]string{"How": "internal"}, nil)
	want := []string{
		"thing.Put", `{"TableName": "abc", "Secret": "pw"}`, `{"Name":"abc","Items":{}}`, "<nil>",
		"thing.Fail", `{"How":"internal"}`, `InternalFailure: The request processing has failed because of an unknown error, exception or failure.`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("got  %q\nwant %q", told, want)
	}
}

// listener notes what a trace is told.
type listener struct{ told *[]string }

func (l listener) Input(json []byte)  { *l.told = append(*l.told, string(json)) }
func (l listener) Output(json []byte) { *l.told = append(*l.told, string(json)) }
func (l listener) End(err error)      { *l.told = append(*l.told, fmt.Sprint(err)) }
