package iam

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// use is what a policy document is for. The grammar is one, what a statement may and must have is not.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type use int

const (
	identityPolicy use = iota // inline in a role, user or group
	managedPolicy
	trustPolicy
)

// Messages in the service's words. Those without a source are as they are remembered: guesses at the words.
const (
	msgSyntax       = "Syntax errors in policy."                               // https://github.com/99designs/iamy/issues/74
	msgInvalidJSON  = "This policy contains invalid Json"                      // that AWS refuses it: https://github.com/localstack/localstack/pull/8453; the words are a guess
	msgOldVersion   = "Policy document must be version 2012-10-17 or greater." // https://github.com/Meteor-Community-Packages/Meteor-CollectionFS/issues/630
	msgNoActions    = "Policy statement must contain actions."
	msgNoResources  = "Policy statement must contain resources."
	msgPrincipal    = "Policy document should not specify a principal." // https://github.com/hashicorp/terraform-provider-aws/issues/10419
	msgNoPrincipal  = "Missing required field Principal"                // of bucket policies: https://github.com/humanmade/S3-Uploads/issues/191
	msgProhibited   = "Has prohibited field %s"                         // https://stackoverflow.com/questions/34188013/aws-create-role-has-prohibited-field
	msgBadPrincipal = `Invalid principal in policy: "%s":"%s"`          // https://github.com/aws-actions/configure-aws-credentials/issues/332
	msgSidTwice     = "Statement IDs (SID) in a single policy must be unique."
	msgBadSid       = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	msgNoVendor     = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	msgTwoColons    = "Actions/Condition can contain only one colon."
	msgBadVendor    = "Vendor %s is not valid"
	msgOnlySTS      = "AssumeRole policy may only specify STS AssumeRole actions."
	msgNoARN        = `Resource %s must be in ARN format or "*".`          // https://github.com/ministryofjustice/modernisation-platform-environments/pull/590
	msgPartition    = `Partition "%s" is not valid for resource "%s".`     // https://github.com/cloudera-labs/cloudera.exe/issues/112
	msgIAMRegion    = "IAM resource %s cannot contain region information." // https://github.com/cloud-gov/terraform-provision/pull/1838
	msgLegacy       = "The policy failed legacy parsing"                   // https://github.com/99designs/iamy/issues/65; for which ARNs is a guess
)

// checkDocument checks a policy document; MalformedPolicyDocument says what is wrong with it.
func checkDocument(document string, u use) error {
	o, err := parse(document)
	if err != nil && u == trustPolicy {
		return errMalformedPolicyDocumentException(msgInvalidJSON)
	}
	if err != nil {
		return errMalformedPolicyDocumentException(msgSyntax)
	}
	if msg := checkPolicy(o, u); msg != "" {
		return errMalformedPolicyDocumentException("%s", msg)
	}
	return nil
}

// size is the length of a document in characters, without white space.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
func size(document string) int {
	return utf8.RuneCountInString(document) - countFunc(document, unicode.IsSpace)
}

func countFunc(s string, f func(rune) bool) (n int) {
	for _, r := range s {
		if f(r) {
			n++
		}
	}
	return n
}

// checkPolicy returns what is wrong with a policy, "" if nothing is.
func checkPolicy(o object, u use) string {
	for _, m := range o {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, m.name) {
			return msgSyntax
		}
	}
	version, given := o.member("Version")
	switch {
	case given && version != "2012-10-17" && version != "2008-10-17":
		return msgSyntax
	case u == managedPolicy && version != "2012-10-17":
		return msgOldVersion
	}
	if id, ok := o.member("Id"); ok {
		if _, ok := id.(string); !ok {
			return msgSyntax
		}
	}
	statement, _ := o.member("Statement")
	all, ok := statement.([]any)
	if one, single := statement.(object); single {
		all, ok = []any{one}, true
	}
	if !ok || len(all) == 0 {
		return msgSyntax
	}
	return checkStatements(all, u)
}

func checkStatements(all []any, u use) string {
	seen := map[string]bool{}
	for _, s := range all {
		o, ok := s.(object)
		if !ok {
			return msgSyntax
		}
		if msg := checkStatement(o, u); msg != "" {
			return msg
		}
		if sid, ok := o.member("Sid"); ok && sid != "" {
			if seen[sid.(string)] {
				return msgSidTwice
			}
			seen[sid.(string)] = true
		}
	}
	return ""
}

var (
	statementFields = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	sidPattern      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z]*$`) })
)

func checkStatement(o object, u use) string {
	for _, m := range o {
		if !slices.Contains(statementFields, m.name) {
			return msgSyntax
		}
	}
	if effect, _ := o.member("Effect"); effect != "Allow" && effect != "Deny" {
		return msgSyntax
	}
	if sid, ok := o.member("Sid"); ok {
		if text, ok := sid.(string); !ok {
			return msgSyntax
		} else if !sidPattern().MatchString(text) {
			return msgBadSid
		}
	}
	for _, check := range []func(object, use) string{checkPrincipals, checkActions, checkResources} {
		if msg := check(o, u); msg != "" {
			return msg
		}
	}
	if condition, ok := o.member("Condition"); ok && !validCondition(condition) {
		return msgSyntax
	}
	return ""
}

// oneOf returns the strings of a statement's field or of its opposite; ok is false if both are there, or what is there is
// neither a string nor a list of them.
func (o object) oneOf(field, opposite string) (list []string, ok bool) {
	a, hasA := o.member(field)
	b, hasB := o.member(opposite)
	switch {
	case hasA && hasB:
		return nil, false
	case hasA:
		return texts(a)
	case hasB:
		return texts(b)
	}
	return nil, true
}

func checkActions(o object, u use) string {
	actions, ok := o.oneOf("Action", "NotAction")
	if !ok {
		return msgSyntax
	}
	if len(actions) == 0 {
		return msgNoActions
	}
	for _, a := range actions {
		if msg := checkAction(a); msg != "" {
			return msg
		}
		if u == trustPolicy && !strings.HasPrefix(strings.ToLower(a), "sts:") {
			return msgOnlySTS
		}
	}
	return ""
}

var vendorPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9-]+$`) })

func checkAction(a string) string {
	if a == "*" {
		return ""
	}
	vendor, name, ok := strings.Cut(a, ":")
	switch {
	case !ok:
		return msgNoVendor
	case strings.Contains(name, ":"):
		return msgTwoColons
	case !vendorPattern().MatchString(vendor):
		return strings.ReplaceAll(msgBadVendor, "%s", vendor)
	case name == "":
		return msgSyntax
	}
	return ""
}
