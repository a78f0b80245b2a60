package dynamodb

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"devstack/emulators/wire"
)

// maxPolicy is how large a policy may be, in bytes, blanks included.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
const maxPolicy = 20 << 10

// The words of AWS's answers, as observed (ack-api-quirks, DDB-TABLE-210, 211, 352, 356, 457).
const (
	msgPolicySize      = "Maximum policy size of %d bytes exceeded"
	msgPolicyJSON      = "This policy contains invalid Json"
	msgPolicyEmpty     = "Could not parse the policy: Statement is empty!"
	msgPolicyMissing   = "Missing required field %s"
	msgPolicyNoPolicy  = "This text appears not to be a policy"
	msgPolicySyntax    = "Syntax error at position (%d,%d)" // where AWS has read to: of {} it is (1,3); for other values that is a guess
	msgPolicySids      = "The Statement Ids in the policy are not unique"
	msgPolicyActions   = "The following action names are invalid: %s"
	msgPolicyRelative  = `The relative-id "%s" is invalid for ARN "%s"`
	msgPolicyResource  = `Resource %s must be in ARN format or "*".` // as IAM says
	msgPolicyPrincipal = "Invalid principal in policy document."
	msgPolicyPublic    = "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure least-privilege form of access"
	msgPolicyLockout   = "The new resource policy will not allow you to update the resource policy in the future."
)

func badPolicy(format string, args ...any) error {
	return badParameter("Invalid policy document: "+format, args...)
}

// policyDocument is a policy whose form has been checked. Who may do what is not: nothing here asks for permission.
type policyDocument struct {
	text       string // as it was given
	version    string // "" if it was not
	id         *policyValue
	statements []policyStatement
}

// policyStatement is one statement of it.
type policyStatement struct {
	sid               string
	effect            string // Allow or Deny
	principals        []string
	actions           []string // of Action; none if there is NotAction
	conditional       bool
	members           policyObject // in AWS's order and form
	resources         []string
	principalIsPublic bool
}

// newPolicy reads a policy for a table or, if stream is set, for a stream.
func newPolicy(text string, stream bool) (*policyDocument, error) {
	if len(text) > maxPolicy {
		return nil, badParameter(msgPolicySize, maxPolicy)
	}
	o, err := parsePolicyJSON(text)
	switch {
	case errors.Is(err, errPolicyScalar):
		return nil, badPolicy(msgPolicyNoPolicy)
	case err != nil:
		return nil, badPolicy(msgPolicyJSON)
	}
	d := &policyDocument{text: text, id: o.get("Id")}
	for _, m := range o {
		switch m.name {
		case "Version":
			s, ok := m.value.any.(string)
			if d.version = s; !ok || s != "2012-10-17" && s != "2008-10-17" {
				return nil, d.syntax(m.value)
			}
		case "Id", "Statement":
		default:
			return nil, d.syntax(m.value)
		}
	}
	if err := d.readStatements(o.get("Statement")); err != nil {
		return nil, err
	}
	return d, d.check(stream)
}

// syntax is the answer to a value of a wrong form.
func (d *policyDocument) syntax(v policyValue) error {
	before := d.text[:v.end]
	return badPolicy(msgPolicySyntax, strings.Count(before, "\n")+1, v.end-strings.LastIndexByte(before, '\n'))
}

func (d *policyDocument) readStatements(v *policyValue) error {
	if v == nil {
		return d.syntax(policyValue{end: len(d.text)})
	}
	all, ok := v.any.(policyList)
	if !ok {
		all = policyList{*v} // one without a list around it
	}
	if len(all) == 0 {
		return badPolicy(msgPolicyEmpty)
	}
	for _, e := range all {
		o, ok := e.any.(policyObject)
		if !ok {
			return d.syntax(e)
		}
		s, err := d.readStatement(o)
		if err != nil {
			return err
		}
		d.statements = append(d.statements, s)
	}
	return nil
}

// statementNames are the names of a statement's members in the order in which AWS returns them.
var statementNames = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}

func (d *policyDocument) readStatement(o policyObject) (s policyStatement, err error) {
	for _, m := range o {
		if !slices.Contains(statementNames, m.name) {
			return s, d.syntax(m.value)
		}
	}
	for _, name := range []string{"Effect", "Principal", "Action", "Resource"} {
		if o.get(name) == nil && o.get("Not"+name) == nil {
			return s, badPolicy(msgPolicyMissing, name)
		}
	}
	for _, name := range statementNames {
		v := o.get(name)
		if v == nil {
			continue
		}
		if err := d.readMember(&s, name, v); err != nil {
			return s, err
		}
		s.members = append(s.members, policyMember{name, *v})
	}
	return s, nil
}

// readMember reads one member of a statement and brings it into AWS's form.
func (d *policyDocument) readMember(s *policyStatement, name string, v *policyValue) error {
	ok := true
	switch name {
	case "Sid":
		s.sid, ok = v.any.(string)
	case "Effect": // of any case
		text, _ := v.any.(string)
		switch strings.ToLower(text) {
		case "allow":
			s.effect = "Allow"
		case "deny":
			s.effect = "Deny"
		default:
			ok = false
		}
		v.any = s.effect
	case "Principal", "NotPrincipal":
		return d.readPrincipal(s, name, v)
	case "Action", "NotAction":
		var names []string
		if names, ok = v.texts(); name == "Action" {
			s.actions = names
		}
		ok = ok && len(names) > 0
	case "Resource", "NotResource":
		s.resources, ok = v.texts()
		ok = ok && len(s.resources) > 0
	case "Condition":
		_, ok = v.any.(policyObject)
		s.conditional = true
	}
	if !ok {
		return d.syntax(*v)
	}
	return nil
}

// Who may be a principal of the kind AWS: an account by its number or its ARN, an identity by its ARN or its unique id.
var (
	policyAccount  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })
	policyIdentity = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^arn:[a-z-]+:(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role|federated-user)/.+)$|^A[A-Z0-9]{15,}$`)
	})
)

// readPrincipal reads "*" or an object of lists. Accounts become ARNs, and what is named twice is named once.
func (d *policyDocument) readPrincipal(s *policyStatement, name string, v *policyValue) error {
	if v.any == "*" {
		s.principalIsPublic = name == "Principal"
		s.principals = append(s.principals, "*")
		return nil
	}
	o, ok := v.any.(policyObject)
	if !ok || len(o) == 0 {
		return d.syntax(*v)
	}
	for i, m := range o {
		names, ok := m.value.texts()
		if !ok || len(names) == 0 || !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, m.name) {
			return d.syntax(m.value)
		}
		if m.name != "AWS" {
			continue
		}
		var list policyList
		for _, p := range names {
			switch {
			case policyAccount().MatchString(p):
				p = "arn:aws:iam::" + p + ":root"
			case p == "*":
				s.principalIsPublic = name == "Principal"
			case !policyIdentity().MatchString(p):
				return badParameter(msgPolicyPrincipal)
			}
			if !slices.Contains(s.principals, p) {
				s.principals = append(s.principals, p)
				list = append(list, policyValue{any: p})
			}
		}
		o[i].value.any = list
	}
	return nil
}

// canonical is the document as AWS returns it: without blanks, in a fixed order, lists of one as the one, and with the version
// that the lack of one means (observed, ack-api-quirks, DDB-TABLE-351 to 355).
func (d *policyDocument) canonical(version string) string {
	b := append(appendPolicyText([]byte(`{"Version":`), version), ',')
	if d.id != nil {
		b = append(d.id.appendTo(append(b, `"Id":`...)), ',')
	}
	b = append(b, `"Statement":[`...)
	for i, s := range d.statements {
		if i > 0 {
			b = append(b, ',')
		}
		b = policyValue{any: s.members}.appendTo(b)
	}
	return string(append(b, "]}"...))
}

// returned is what GetResourcePolicy returns.
func (d *policyDocument) returned() string {
	if d.version == "" {
		return d.canonical("2008-10-17")
	}
	return d.canonical(d.version)
}

// sameAs tells whether another document is the same policy. One without a version is not the same as one with that which the
// lack of one means.
func (d *policyDocument) sameAs(canonical string) bool { return d.canonical(d.version) == canonical }

// locksOut tells whether nobody of the account could put another policy in place of it.
func (d *policyDocument) locksOut(account string) bool {
	root := "arn:aws:iam::" + account + ":root"
	return slices.ContainsFunc(d.statements, func(s policyStatement) bool {
		return s.effect == "Deny" && !s.conditional &&
			(slices.Contains(s.principals, "*") || slices.Contains(s.principals, root)) &&
			slices.ContainsFunc(s.actions, func(a string) bool { return matchesAction(a, "dynamodb:PutResourcePolicy") })
	})
}

// errLockout is the answer to a policy that locks its author out.
func errLockout() error { return wire.Errorf("AccessDeniedException", 400, msgPolicyLockout) }
