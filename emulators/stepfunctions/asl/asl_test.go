package asl

import (
	"errors"
	"strings"
	"testing"

	"devstack/emulators/stepfunctions/intrinsic"
	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// scope is an input without a context object.
type scope struct{ root any }

func (s scope) Path(_ string, p *jsonpath.Path) (any, error)              { return p.Eval(s.root) }
func (s scope) CallPath(_ *intrinsic.Call, p *jsonpath.Path) (any, error) { return p.Eval(s.root) }
func (s scope) UUID() string                                              { return "a uuid" }

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := value.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestConditions(t *testing.T) {
	const input = `{"s":"b","other":"a","n":3,"float":3.0,"more":4,"big":9007199254740993,"t":"2026-01-01T00:00:00Z","later":"2026-01-01T01:00:00+00:30","null":null,"true":true,"star":"a*b","path":"a\\b","empty":""}`
	for _, tt := range []struct {
		condition string
		want      bool
	}{
		{`"Variable":"$.s","StringEquals":"b"`, true},
		{`"Variable":"$.n","StringEquals":"3"`, false},
		{`"Variable":"$.s","StringGreaterThan":"a"`, true},
		{`"Variable":"$.s","StringGreaterThanEqualsPath":"$.other"`, true},
		{`"Variable":"$.s","StringLessThan":"b"`, false},
		{`"Variable":"$.s","StringLessThanEquals":"b"`, true},
		{`"Variable":"$.s","StringEqualsPath":"$.n"`, false},
		{`"Variable":"$.n","NumericEquals":3.0`, true},
		{`"Variable":"$.float","NumericEqualsPath":"$.n"`, true},
		{`"Variable":"$.big","NumericEquals":9007199254740992`, false},
		{`"Variable":"$.n","NumericLessThanPath":"$.more"`, true},
		{`"Variable":"$.n","NumericGreaterThanEquals":3`, true},
		{`"Variable":"$.s","NumericLessThan":3`, false},
		{`"Variable":"$.true","BooleanEquals":true`, true},
		{`"Variable":"$.true","BooleanEqualsPath":"$.null"`, false},
		{`"Variable":"$.t","TimestampEquals":"2026-01-01T01:00:00+01:00"`, true},
		{`"Variable":"$.t","TimestampLessThanPath":"$.later"`, true},
		{`"Variable":"$.s","TimestampLessThan":"2026-01-01T00:00:00Z"`, false},
		{`"Variable":"$.later","TimestampGreaterThan":"2026-01-01T00:29:59.999Z"`, true},
		{`"Variable":"$.null","IsNull":true`, true},
		{`"Variable":"$.s","IsNull":false`, true},
		{`"Variable":"$.null","IsPresent":true`, true},
		{`"Variable":"$.gone.deep","IsPresent":false`, true},
		{`"Variable":"$.n","IsNumeric":true`, true},
		{`"Variable":"$.s","IsString":true`, true},
		{`"Variable":"$.true","IsBoolean":true`, true},
		{`"Variable":"$.t","IsTimestamp":true`, true},
		{`"Variable":"$.s","IsTimestamp":true`, false},
		{`"Variable":"$.n","IsTimestamp":false`, true},
		{`"Variable":"$.star","StringMatches":"a\\*b"`, true}, // in JSON: the star has a backslash before it
		{`"Variable":"$.s","StringMatches":"\\*"`, false},
		{`"Variable":"$.path","StringMatches":"*b"`, true},
		{`"Variable":"$.s","StringMatches":"*"`, true},
		{`"Variable":"$.empty","StringMatches":"*"`, true},
		{`"Variable":"$.s","StringMatches":"*a*"`, false},
		{`"And":[{"Variable":"$.n","IsNumeric":true},{"Not":{"Variable":"$.n","NumericEquals":4}}]`, true},
		{`"Or":[{"Variable":"$.n","IsString":true},{"And":[{"Variable":"$.s","IsString":true}]}]`, true},
		{`"Or":[{"Variable":"$.n","IsString":true}]`, false},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			m, diags := Compile(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{`+tt.condition+`,"Next":"S"}]},"S":{"Type":"Succeed"}}}`, false)
			if diags != nil {
				t.Fatal(diags)
			}
			got, err := m.States["C"].Rules[0].Condition.Holds(scope{decode(t, input)})
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"log-*.txt", "log-1.txt", true}, {"log-*.txt", "log-1.txt2", false}, {"*.*.*", "a.b.c", true}, {"*.*.*", "a.b", false}, {"", "", true}, {"", "a", false},
		{`a\*b`, "a*b", true}, {`a\*b`, "axb", false}, {`a\\b`, `a\b`, true}, {`a\b`, `a\b`, true}, {"é*", "éa", true}, {"*aab", "aaab", true},
	} {
		if got := matches(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q with %q: %v", tt.s, tt.pattern, got)
		}
	}
}

func TestTemplates(t *testing.T) {
	for _, tt := range []struct{ name, template, want string }{
		{"constants first, then the others as a hash table has them", `{"original_input.$":"$.a","iteration_index.$":"$.b","from_input_constant.$":"$.c","iteration_input_value.$":"$.d","constant_value":1}`,
			`{"constant_value":1,"iteration_input_value":4,"from_input_constant":3,"iteration_index":2,"original_input":1}`}, // recorded
		{"at every depth", `{"x":[{"y":{"z.$":"$.a"}},"$.a"]}`, `{"x":[{"y":{"z":1}},"$.a"]}`},
		{"functions", `{"x.$":"States.Array($.a, States.UUID())"}`, `{"x":[1,"a uuid"]}`},
		{"no object", `"$.a"`, `"$.a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &compiler{names: map[string]bool{}}
			v, err := c.template(decode(t, tt.template), "").Eval(scope{decode(t, `{"a":1,"b":2,"c":3,"d":4}`)})
			if err != nil || c.diags != nil {
				t.Fatal(err, c.diags)
			}
			if got := value.Encode(v); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	c := &compiler{names: map[string]bool{}}
	_, err := c.template(decode(t, `{"x.$":"$.gone"}`), "").Eval(scope{decode(t, `{}`)})
	var nf *jsonpath.NotFound
	if !errors.As(err, &nf) {
		t.Errorf("nothing there: %v", err)
	}
}

func TestResources(t *testing.T) {
	for _, tt := range []struct {
		arn  string
		want Resource // Service and Action; zero: refused
		says string
	}{
		{"arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST", Resource{Lambda: true}, ""},
		{"arn:aws:states:::lambda:invoke.waitForTaskToken", Resource{Service: "lambda", Action: "invoke", Pattern: WaitForTaskToken}, ""},
		{"arn:aws:states:::states:startExecution.sync:2", Resource{Service: "states", Action: "startExecution", Pattern: Sync2}, ""},
		{"arn:aws-cn:states:::aws-sdk:s3:listObjectsV2", Resource{SDK: true, Service: "s3", Action: "listObjectsV2"}, ""},
		{"arn:aws:states:::dynamodb:getItem.sync", Resource{}, "is not recognized"},
		{"arn:aws:states:::aws-sdk:s3:getObject.sync", Resource{}, "is not recognized"},
		{"arn:aws:states:::aws-sdk:s3", Resource{}, "is not recognized"},
		{"arn:aws:states:::nothing:do", Resource{}, "is not recognized"},
		{"arn:aws:states:::glue:startJobRun.sync", Resource{}, "devstack does not support the integration glue:startJobRun"},
		{"arn:aws:states:::dynamodb:query", Resource{}, "devstack does not support the integration dynamodb:query"},
		{"arn:aws:states:us-east-1:111111111111:activity:a", Resource{}, "devstack does not support activities"},
		{"nonsense", Resource{}, "Value is not a valid resource ARN"},
	} {
		c := &compiler{}
		r := c.resource(tt.arn, "/x")
		if tt.says != "" {
			if r != nil || len(c.diags) != 1 || !strings.Contains(c.diags[0].Message, tt.says) {
				t.Errorf("%s: %v %v", tt.arn, r, c.diags)
			}
			continue
		}
		tt.want.ARN = tt.arn
		if r == nil || *r != tt.want {
			t.Errorf("%s: %+v %v", tt.arn, r, c.diags)
		}
	}
}

// FuzzCompile: a definition is either refused with reasons or a graph whose every transition leads somewhere.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"x.$":"States.Array($.a)"},"End":true}}}`,
		`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.x","IsNull":true}],"Next":"B"}],"Default":"B"},"B":{"Type":"Fail","Error":"e"}}}`,
		`{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Retry":[{"ErrorEquals":["States.ALL"]}],"End":true}}},"End":true}}}`,
		`{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}],"Catch":[{"ErrorEquals":["E"],"Next":"S"}],"Next":"S"},"S":{"Type":"Succeed"}}}`,
		`[]`, `not JSON`,
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, express bool) {
		m, diags := Compile(text, express)
		if (m == nil) == (diags == nil) {
			t.Fatalf("%v and %v", m, diags)
		}
		for _, d := range diags {
			if d.Code == "" || d.Message == "" {
				t.Fatalf("diagnostic %+v", d)
			}
		}
		if m != nil {
			whole(t, m)
		}
	})
}

func whole(t *testing.T, m *Machine) {
	if m.States[m.StartAt] == nil {
		t.Fatalf("begins at %q", m.StartAt)
	}
	for _, s := range m.States {
		for _, e := range s.edges("") {
			if m.States[e.target] == nil {
				t.Fatalf("%q leads to %q", s.Name, e.target)
			}
		}
		for _, b := range s.Branches {
			whole(t, b)
		}
		if s.Type == Map {
			whole(t, s.Processor)
		}
	}
}
