// Package iam emulates Identity and Access Management: roles, users, groups, policies and what ties them together, kept per
// account and not per region.
//
// Nothing is enforced: no call of any service is ever refused for want of a permission, and no policy is evaluated. What is
// here is what tools create first and read back, with AWS's rules for names, sizes, conflicts and policy documents.
//
// Of AWS's own managed policies those of managed.txt exist, some of them without their documents, and of service-linked roles
// those of servicelinked.txt.
package iam

import (
	"net/url"
	"strings"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service iam -operations operations.txt

// identities are the roles, users and groups. Names do not differ by case alone, and lists are in the order of the lower-case
// names.
var identities = store.NewTable[identity]("identities") // by account, kind and lower-case name

// service implements the generated api interface.
type service struct{ kit.Env }

// New returns the IAM emulator.
func New(env kit.Env) *wire.Service { return register(&service{env}) }

// alphabetOfIDs are the characters of unique ids and access key ids after their prefix.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
const alphabetOfIDs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// id makes a unique id, such as AROAJ2UCCR6DPCEXAMPLE.
func (s *service) id(prefix string) string { return prefix + s.IDs.From(alphabetOfIDs, 17) }

// now is the time as IAM tells it: in whole seconds.
func (s *service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Second) }

// arn is the name of a resource of an account. IAM's ARNs have no region.
func arn(account, resource string) string { return "arn:aws:iam::" + account + ":" + resource }

// pathOr is a path, "/" if none was given.
func pathOr(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

// encoded is a policy document as answers carry it: percent-encoded as RFC 3986 has it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// errValidation is a violated rule that the model does not know.
func errValidation(format string, args ...any) *wire.Error {
	return wire.Errorf("ValidationError", 400, format, args...)
}
