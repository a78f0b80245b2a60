package dynamodb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"devstack/emulators/wire"
)

const (
	policyTable  = "arn:aws:dynamodb:us-east-1:000000000000:table/things"
	policyStream = policyTable + "/stream/2026-03-01T12:00:00.000"
)

func TestPolicyDocuments(t *testing.T) {
	const (
		invalid = "ValidationException: One or more parameter values were invalid: "
		bad     = invalid + "Invalid policy document: "
		who     = `"Principal":{"AWS":"arn:aws:iam::111111111111:root"},`
		what    = `"Action":"dynamodb:GetItem",`
		where   = `"Resource":"` + policyTable + `"`
		allow   = `"Effect":"Allow",`
		plain   = `{` + allow + who + what + where + `}`
		public  = "ValidationException: Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure least-privilege form of access"
	)
	policy := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	for _, tt := range []struct {
		name, document, want string // the document as it is returned, or the error
		stream               bool
	}{
		{name: "AWS's own form", document: policy(plain), want: policy(plain)},
		{name: "blanks and another order", document: `{"Statement": [ {"Resource":"` + policyTable + `", "Action":["dynamodb:GetItem"],` + "\n" + who + `"Effect":"allow"} ],"Version":"2012-10-17"}`, want: policy(plain)},
		{name: "a statement without a list", document: `{"Version":"2012-10-17","Statement":` + plain + `}`, want: policy(plain)},
		{name: "an account by its number, twice", document: policy(`{` + allow + `"Principal":{"AWS":["111111111111","arn:aws:iam::111111111111:root"]},` + what + where + `}`), want: policy(plain)},
		{name: "no version", document: `{"Statement":[` + plain + `]}`, want: `{"Version":"2008-10-17","Statement":[` + plain + `]}`},
		{name: "lists keep their order and what is in them twice", document: policy(`{` + allow + who + `"Action":["dynamodb:Query","dynamodb:getitem","dynamodb:Query"],"Resource":["` + policyTable + `/index/*","*"]}`),
			want: policy(`{` + allow + who + `"Action":["dynamodb:Query","dynamodb:getitem","dynamodb:Query"],"Resource":["` + policyTable + `/index/*","*"]}`)},
		{name: "a condition with a list of one", document: policy(`{"Sid":"\u0041&","Condition":{"StringEquals":{"aws:PrincipalAccount":["111111111111"]}},` + allow + `"Principal":"*",` + what + where + `}`),
			want: policy(`{"Sid":"A&",` + allow + `"Principal":"*",` + what + where + `,"Condition":{"StringEquals":{"aws:PrincipalAccount":"111111111111"}}}`)},
		{name: "wildcards", document: policy(`{` + allow + who + `"Action":"dynamodb:*Item",` + where + `}`), want: policy(`{` + allow + who + `"Action":"dynamodb:*Item",` + where + `}`)},
		{name: "all but one", document: policy(`{` + allow + who + `"NotAction":"dynamodb:DeleteTable",` + where + `}`), want: policy(`{` + allow + who + `"NotAction":"dynamodb:DeleteTable",` + where + `}`)},
		{name: "one of a stream", stream: true, document: policy(`{` + allow + who + `"Action":"dynamodb:GetRecords","Resource":"` + policyStream + `"}`), want: policy(`{` + allow + who + `"Action":"dynamodb:GetRecords","Resource":"` + policyStream + `"}`)},

		{name: "nothing", document: ``, want: bad + "This policy contains invalid Json"},
		{name: "no JSON", document: `{not json`, want: bad + "This policy contains invalid Json"},
		{name: "no object", document: `[]`, want: bad + "This policy contains invalid Json"},
		{name: "a member twice", document: `{"Version":"2012-10-17","Version":"2012-10-17"}`, want: bad + "This policy contains invalid Json"},
		{name: "too large", document: policy(plain) + strings.Repeat(" ", 20480), want: invalid + "Maximum policy size of 20480 bytes exceeded"},
		{name: "no statements", document: policy(), want: bad + "Could not parse the policy: Statement is empty!"},
		{name: "nothing in it", document: `{}`, want: bad + "Syntax error at position (1,3)"},
		{name: "null", document: `null`, want: bad + "This text appears not to be a policy"},
		{name: "no Statement", document: `{"Version":"2012-10-17"}`, want: bad + "Syntax error at position (1,25)"},
		{name: "no effect", document: policy(`{` + who + what + where + `}`), want: bad + "Missing required field Effect"},
		{name: "no principal", document: policy(`{` + allow + what + where + `}`), want: bad + "Missing required field Principal"},
		{name: "no action", document: policy(`{` + allow + who + where + `}`), want: bad + "Missing required field Action"},
		{name: "no resource", document: policy(`{` + allow + who + `"Action":"dynamodb:GetItem"}`), want: bad + "Missing required field Resource"},
		{name: "an unknown version", document: `{"Version":"2026","Statement":[` + plain + `]}`, want: bad + "Syntax error at position (1,18)"},
		{name: "an unknown member", document: "{\n \"Rules\" : 1}", want: bad + "Syntax error at position (2,13)"},
		{name: "an unknown effect", document: policy(`{"Effect":"Maybe",` + who + what + where + `}`), want: bad + "Syntax error at position (1,55)"},
		{name: "an account that nothing says is one", document: policy(`{` + allow + `"Principal":"111111111111",` + what + where + `}`), want: bad + "Syntax error at position (1,82)"},
		{name: "nobody", document: policy(`{` + allow + `"Principal":{"AWS":"ann"},` + what + where + `}`), want: invalid + "Invalid principal in policy document."},
		{name: "two statements of one id", document: policy(`{"Sid":"a",`+plain[1:], `{"Sid":"a",`+plain[1:]), want: bad + "The Statement Ids in the policy are not unique"},
		{name: "actions of a stream", document: policy(`{` + allow + who + `"Action":["dynamodb:GetRecords","dynamodb:GetItem","s3:GetObject"],` + where + `}`), want: bad + `The following action names are invalid: "dynamodb:GetRecords", "s3:GetObject"`},
		{name: "actions of a table on a stream", stream: true, document: policy(`{` + allow + who + what + `"Resource":"` + policyStream + `"}`), want: bad + `The following action names are invalid: "dynamodb:GetItem"`},
		{name: "a stream in a table's policy", document: policy(`{` + allow + who + what + `"Resource":"` + policyStream + `"}`), want: bad + `The relative-id "table/things/stream/2026-03-01T12:00:00.000" is invalid for ARN "` + policyStream + `"`},
		{name: "a table in a stream's policy", stream: true, document: policy(`{` + allow + who + `"Action":"dynamodb:GetRecords",` + where + `}`), want: bad + `The relative-id "table/things" is invalid for ARN "` + policyTable + `"`},
		{name: "a resource by its name", document: policy(`{` + allow + who + what + `"Resource":"things"}`), want: bad + `Resource things must be in ARN format or "*".`},
		{name: "everybody", document: policy(`{` + allow + `"Principal":"*",` + what + where + `}`), want: public},
		{name: "everybody among others", document: policy(`{` + allow + `"Principal":{"AWS":["111111111111","*"]},` + what + where + `}`), want: public},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := newPolicy(tt.document, tt.stream)
			got := ""
			if err != nil {
				got = err.Error()
			} else if got = d.returned(); !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if again, err := newPolicy(got, tt.stream); err == nil && again.returned() != got {
				t.Errorf("what is returned is put and returned as %s", again.returned())
			}
		})
	}
}

func TestActionsMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, action string
		want            bool
	}{
		{"dynamodb:GetItem", "dynamodb:GetItem", true}, {"dynamodb:getITEM", "dynamodb:GetItem", true}, {"*", "dynamodb:GetItem", true},
		{"dynamodb:*", "dynamodb:GetItem", true}, {"dynamodb:Get*", "dynamodb:GetItem", true}, {"dynamodb:*Item", "dynamodb:BatchGetItem", true},
		{"dynamodb:*et*em*", "dynamodb:GetItem", true}, {"dynamodb:?etItem", "dynamodb:GetItem", true}, {"**", "a", true},
		{"dynamodb:GetItem?", "dynamodb:GetItem", false}, {"dynamodb:Item", "dynamodb:GetItem", false}, {"", "a", false}, {"*b", "a", false},
		{strings.Repeat("*a", 5000), strings.Repeat("a", 40), false},
	} {
		if got := matchesAction(tt.pattern, tt.action); got != tt.want {
			t.Errorf("%.40s, %s: %v", tt.pattern, tt.action, got)
		}
	}
}

// FuzzPolicy holds that what is returned of a policy is a policy, and the same one.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["dynamodb:GetItem"],"Resource":"*"}]}`)
	f.Add(`{"Statement":{"Sid":"\u00e9","Effect":"deny","NotPrincipal":{"Service":["a","b"]},"NotAction":"x","Resource":["*"],"Condition":{"Bool":{"a":[true,1e3,null]}}}}`)
	f.Add(`{"Id":[1,{}],"Statement":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := newPolicy(text, false)
		if err != nil {
			if _, ok := errors.AsType[*wire.Error](err); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		returned := d.returned()
		if len(returned) > maxPolicy { // accounts have become ARNs
			return
		}
		again, err := newPolicy(returned, false)
		if err != nil || again.returned() != returned {
			t.Fatalf("%q is returned as %q (%v)", text, returned, err)
		}
	})
}
