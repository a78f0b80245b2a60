package iam

import (
	"errors"
	"strings"
	"testing"

	"devstack/emulators/wire"
)

// trust and identity wrap one statement.
func statement(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }

const (
	lambdas   = `"Principal":{"Service":"lambda.amazonaws.com"}`
	assume    = `"Action":"sts:AssumeRole"`
	getObject = `"Effect":"Allow","Action":"s3:GetObject"`
)

func TestPolicyDocuments(t *testing.T) {
	for _, tt := range []struct {
		name     string
		use      use
		document string
		message  string // "" if the document is good
	}{
		{"a plain policy", managedPolicy, statement(`{` + getObject + `,"Resource":"*"}`), ""},
		{"one statement need not be a list", managedPolicy, `{"Version":"2012-10-17","Statement":{` + getObject + `,"Resource":"*"}}`, ""},
		{"opposites", identityPolicy, statement(`{"Effect":"Deny","NotAction":["iam:*","*"],"NotResource":["arn:aws:s3:::b","arn:*:s3:::c"]}`), ""},
		{"inline, the version may be missing", identityPolicy, `{"Statement":[{` + getObject + `,"Resource":"*"}]}`, ""},
		{"inline, the version may be old", identityPolicy, `{"Version":"2008-10-17","Id":"i","Statement":[{` + getObject + `,"Resource":"*"}]}`, ""},
		{"managed, the version may not be missing", managedPolicy, `{"Statement":[{` + getObject + `,"Resource":"*"}]}`, msgOldVersion},
		{"managed, the version may not be old", managedPolicy, `{"Version":"2008-10-17","Statement":[{` + getObject + `,"Resource":"*"}]}`, msgOldVersion},
		{"a version that never was", identityPolicy, `{"Version":"2020-01-01","Statement":[{` + getObject + `,"Resource":"*"}]}`, msgSyntax},
		{"null", managedPolicy, `null`, msgSyntax},
		{"broken JSON", managedPolicy, `{"Version":"2012-10-17",}`, msgSyntax},
		{"broken JSON of a trust policy", trustPolicy, `{"Version":"2012-10-17",}`, msgInvalidJSON},
		{"something after the end", managedPolicy, statement(`{`+getObject+`,"Resource":"*"}`) + `{}`, msgSyntax},
		{"a member twice", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Resource":"*"}`), msgSyntax},
		{"no statement", managedPolicy, statement(``), msgSyntax},
		{"a field that is none", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Resources":"*"}`), msgSyntax},
		{"an effect that is none", managedPolicy, statement(`{"Effect":"allow","Action":"s3:GetObject","Resource":"*"}`), msgSyntax},
		{"no action", managedPolicy, statement(`{"Effect":"Allow","Resource":"*"}`), msgNoActions},
		{"an empty list of actions", managedPolicy, statement(`{"Effect":"Allow","Action":[],"Resource":"*"}`), msgNoActions},
		{"both kinds of actions", managedPolicy, statement(`{` + getObject + `,"NotAction":"s3:PutObject","Resource":"*"}`), msgSyntax},
		{"an action without a service", managedPolicy, statement(`{"Effect":"Allow","Action":"GetObject","Resource":"*"}`), msgNoVendor},
		{"an action with two colons", managedPolicy, statement(`{"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"}`), msgTwoColons},
		{"a service that is no word", managedPolicy, statement(`{"Effect":"Allow","Action":"s 3:GetObject","Resource":"*"}`), "Vendor s 3 is not valid"},
		{"no resource", managedPolicy, statement(`{` + getObject + `}`), msgNoResources},
		{"a resource that is no ARN", managedPolicy, statement(`{` + getObject + `,"Resource":"bucket"}`), `Resource bucket must be in ARN format or "*".`},
		{"another partition", managedPolicy, statement(`{` + getObject + `,"Resource":"arn:${P}:s3:::b"}`), `Partition "${P}" is not valid for resource "arn:${P}:s3:::b".`},
		{"too few colons", managedPolicy, statement(`{` + getObject + `,"Resource":"arn:aws:s3::b"}`), msgLegacy},
		{"IAM has no regions", managedPolicy, statement(`{` + getObject + `,"Resource":"arn:aws:iam:us-east-1:000000000000:role/r"}`), "IAM resource arn:aws:iam:us-east-1:000000000000:role/r cannot contain region information."},
		{"a principal in an identity's policy", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Principal":"*"}`), msgPrincipal},
		{"statement ids twice", managedPolicy, statement(`{"Sid":"a",` + getObject + `,"Resource":"*"},{"Sid":"a",` + getObject + `,"Resource":"*"}`), msgSidTwice},
		{"a statement id with a space", managedPolicy, statement(`{"Sid":"a b",` + getObject + `,"Resource":"*"}`), msgBadSid},
		{"empty statement ids", trustPolicy, statement(`{"Sid":"","Effect":"Allow",` + lambdas + `,` + assume + `},{"Sid":"","Effect":"Allow",` + lambdas + `,` + assume + `}`), ""},
		{"conditions", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*",1,true]},"Null":{"aws:x":"true"},"Bool":{}}}`), ""},
		{"an operator that is none", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Condition":{"StringIs":{"aws:x":"a"}}}`), msgSyntax},
		{"a condition on lists of lists", managedPolicy, statement(`{` + getObject + `,"Resource":"*","Condition":{"StringLike":{"aws:x":[["a"]]}}}`), msgSyntax},
		{"a service's trust", trustPolicy, statement(`{"Effect":"Allow",` + lambdas + `,` + assume + `}`), ""},
		{"trust in accounts, roles and users", trustPolicy, statement(`{"Effect":"Allow","Principal":{"AWS":["000000000000","arn:aws:iam::000000000000:root","arn:aws:iam::000000000000:role/a/b","arn:aws:sts::000000000000:assumed-role/r/s","*"]},` + assume + `}`), ""},
		{"trust in identity providers", trustPolicy, statement(`{"Effect":"Allow","Principal":{"Federated":["cognito-identity.amazonaws.com","arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"]},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"]}`), ""},
		{"trust without a principal", trustPolicy, statement(`{"Effect":"Allow",` + assume + `}`), msgNoPrincipal},
		{"trust with a resource", trustPolicy, statement(`{"Effect":"Allow",` + lambdas + `,` + assume + `,"Resource":"*"}`), "Has prohibited field Resource"},
		{"trust to do something else", trustPolicy, statement(`{"Effect":"Allow",` + lambdas + `,"Action":"s3:GetObject"}`), msgOnlySTS},
		{"a service that is no host", trustPolicy, statement(`{"Effect":"Allow","Principal":{"Service":"lambda"},` + assume + `}`), `Invalid principal in policy: "SERVICE":"lambda"`},
		{"an account with eleven digits", trustPolicy, statement(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::12345678910:role/r"},` + assume + `}`), `Invalid principal in policy: "AWS":"arn:aws:iam::12345678910:role/r"`},
		{"a kind of principal that is none", trustPolicy, statement(`{"Effect":"Allow","Principal":{"User":"ann"},` + assume + `}`), msgSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := checkDocument(tt.document, tt.use)
			var e *wire.Error
			switch {
			case tt.message == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.message != "" && (!errors.As(err, &e) || e.Message != tt.message || e.Code != "MalformedPolicyDocumentException"):
				t.Errorf("got %v, want %q", err, tt.message)
			}
		})
	}
}

func TestSizeDoesNotCountWhiteSpace(t *testing.T) {
	if n := size("{ \"ä\":\n\t1 }"); n != 7 {
		t.Errorf("got %d characters, want 7", n)
	}
}

func TestAWSManagedPoliciesAreGood(t *testing.T) {
	for arn, p := range awsManaged() {
		if !strings.HasPrefix(arn, "arn:aws:iam::aws:policy/") {
			t.Errorf("%s is no ARN of AWS's", arn)
		}
		for _, v := range p.Versions {
			if err := checkManaged(v.Document); err != nil {
				t.Errorf("%s: %v", arn, err)
			}
		}
	}
	for service, l := range services() {
		if !strings.Contains(service, ".amazonaws.com") || !strings.HasPrefix(l.role, "AWSServiceRoleFor") || l.policy == "" {
			t.Errorf("%s: %+v", service, l)
		}
	}
}

func FuzzCheckDocument(f *testing.F) {
	f.Add(statement(`{` + getObject + `,"Resource":"*","Condition":{"StringLike":{"aws:x":["a",1]}}}`))
	f.Add(statement(`{"Effect":"Allow",` + lambdas + `,` + assume + `}`))
	f.Add(`{"Statement":{"Sid":"a","NotPrincipal":{"AWS":["*"]},"NotAction":"a:b","NotResource":[]}}`)
	f.Add(strings.Repeat("[", 100))
	f.Fuzz(func(t *testing.T, document string) {
		for _, u := range []use{identityPolicy, managedPolicy, trustPolicy} {
			var e *wire.Error
			if err := checkDocument(document, u); err != nil && (!errors.As(err, &e) || e.Message == "") {
				t.Errorf("use %d: %v is no answer of AWS's", u, err)
			}
		}
		if n := size(document); n < 0 {
			t.Errorf("size %d", n)
		}
	})
}
