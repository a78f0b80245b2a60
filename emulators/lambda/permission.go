package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"sync"

	"devstack/emulators/store"
)

// policies are the resource policies of functions (by account, region, name and qualifier, "" for none) and of layer versions (by
// account, region, name and number). They are kept and shown; who may call what is not emulated, as nothing of IAM's is.
var (
	policies      = store.NewTable[policy]("policies")
	layerPolicies = store.NewTable[policy]("layerpolicies")
)

func init() {
	forgetting = append(forgetting, func(tx *store.Tx, t target) {
		if t.Qualifier == "" {
			policies.Clear(tx, t.key()...)
			return
		}
		policies.Delete(tx, t.key(t.Qualifier)...)
	})
}

// Messages in the service's words, recorded answers.
const (
	msgPolicyLatest    = "We currently do not support adding policies for $LATEST."
	msgPrincipal       = "The provided principal was invalid. Please check the principal and try again."
	msgStatementExists = "The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement."
	msgNoStatement     = "Statement %s is not found in resource policy."
	msgNoPolicy        = "No policy is associated with the given resource."
	msgNoPolicyFor     = "No policy found for: %s"
	msgNoResource      = "The resource you requested does not exist."
	msgPolicyRevision  = "The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id"
)

// policy is a resource policy. Its JSON is what GetPolicy shows.
//
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
type policy struct {
	Revision   string
	Statements []statement
}

// statement is one permission, its members in the order in which AWS's answers have them.
type statement struct {
	Sid       string
	Effect    string
	Principal any // "*", or a map with Service or AWS
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// document is the policy as JSON.
func (p *policy) document() string {
	return marshal(struct {
		Version   string
		Id        string
		Statement []statement
	}{"2012-10-17", "default", p.Statements})
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and maps of them always marshal
	}
	return string(b)
}

// add puts a statement into the policy. operation is where its revision is read, as the error says.
func (p *policy) add(s statement, given *string, operation, revision string) error {
	if given != nil && *given != p.Revision {
		return byUser(errPreconditionFailedException(msgPolicyRevision, operation))
	}
	if p.find(s.Sid) >= 0 {
		return byUser(errResourceConflictException(msgStatementExists, s.Sid))
	}
	p.Statements, p.Revision = append(p.Statements, s), revision
	return nil
}

// remove takes a statement out of the policy.
func (p *policy) remove(sid string, given *string, operation, revision string) error {
	if given != nil && *given != p.Revision {
		return byUser(errPreconditionFailedException(msgPolicyRevision, operation))
	}
	i := p.find(sid)
	if i < 0 {
		return byUser(errResourceNotFoundException(msgNoStatement, sid))
	}
	p.Statements, p.Revision = slices.Delete(p.Statements, i, i+1), revision
	return nil
}

func (p *policy) find(sid string) int {
	return slices.IndexFunc(p.Statements, func(s statement) bool { return s.Sid == sid })
}

// Who a permission is for: a service, an account, or an identity in it.
var (
	servicePrincipal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9.-]+\.amazon(aws)?\.com(\.cn)?$`) })
	accountPrincipal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{12}$`) })
	arnPrincipal     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:.+$`) })
)

// principal is how a statement shows who it is for.
func principal(given string) (any, error) {
	switch {
	case given == "*":
		return "*", nil
	case servicePrincipal().MatchString(given):
		return map[string]string{"Service": given}, nil
	case accountPrincipal().MatchString(given):
		return map[string]string{"AWS": "arn:aws:iam::" + given + ":root"}, nil
	case arnPrincipal().MatchString(given):
		return map[string]string{"AWS": given}, nil
	}
	return nil, byUser(errInvalidParameterValueException(msgPrincipal))
}

// AddPermission adds a statement to the policy of a function, a version or an alias. ResourceConflictException for a StatementId that is
// there already, PreconditionFailedException if RevisionId is not the policy's.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (s *Service) AddPermission(ctx context.Context, in *AddPermissionInput) (*AddPermissionOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if t.Qualifier == latest {
		return nil, byUser(errInvalidParameterValueException(msgPolicyLatest))
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Action: *in.Action, Resource: t.arn(), Condition: conditions(in)}
	if st.Principal, err = principal(*in.Principal); err != nil {
		return nil, err
	}
	revision := s.IDs.UUID()
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := s.permitted(tx, t); err != nil {
			return err
		}
		p, _ := policies.Get(tx, t.key(t.Qualifier)...)
		if err := p.add(st, in.RevisionId, "GetPolicy", revision); err != nil {
			return err
		}
		policies.Put(tx, p, t.key(t.Qualifier)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &AddPermissionOutput{Statement: new(marshal(st))}, nil
}

// conditions are those of a permission, in the recorded form.
func conditions(in *AddPermissionInput) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, c := range []struct {
		operator, key string
		value         *string
	}{
		{"StringEquals", "AWS:SourceAccount", in.SourceAccount}, {"StringEquals", "lambda:EventSourceToken", in.EventSourceToken},
		{"StringEquals", "lambda:FunctionUrlAuthType", in.FunctionUrlAuthType}, {"StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID},
		{"ArnLike", "AWS:SourceArn", in.SourceArn}, {"Bool", "lambda:InvokedViaFunctionUrl", truth(in.InvokedViaFunctionUrl)},
	} {
		if c.value == nil {
			continue
		}
		if all[c.operator] == nil {
			all[c.operator] = map[string]string{}
		}
		all[c.operator][c.key] = *c.value
	}
	return all
}

// truth is a condition's value of a boolean.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html shows "Bool": {"lambda:InvokedViaFunctionUrl": "true"}
func truth(b *bool) *string {
	if b == nil || !*b {
		return nil
	}
	return new("true")
}

var aliasName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9-_]+$`) })

// permitted reports whether there is what a permission is to be of. Recorded answers: an alias that is not there is named so, a name that no
// alias can have is taken for a function's.
func (s *Service) permitted(tx *store.Tx, t target) error {
	if _, there := s.record(tx, t); !there {
		return byUser(errResourceNotFoundException(msgNotFound, t.function()))
	}
	return s.qualifierThere(tx, t)
}

func (s *Service) qualifierThere(tx *store.Tx, t target) error {
	switch {
	case t.Qualifier == "":
		return nil
	case numbered().MatchString(t.Qualifier):
		if s.stored(tx, t, t.Qualifier) == nil {
			return byUser(errResourceNotFoundException(msgNotFound, t.arn()))
		}
		return nil
	case !aliasName().MatchString(t.Qualifier):
		return byUser(errResourceNotFoundException(msgNotFound, t.arn()))
	}
	_, err := s.aliasOf(tx, t)
	return err
}

// RemovePermission takes a statement out of a policy.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html
func (s *Service) RemovePermission(ctx context.Context, in *RemovePermissionInput) (*RemovePermissionOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	revision := s.IDs.UUID()
	return &RemovePermissionOutput{}, s.Store.Update(func(tx *store.Tx) error {
		if _, there := s.record(tx, t); !there {
			return byUser(errResourceNotFoundException(msgNoPolicyFor, t.arn()))
		}
		if err := s.qualifierThere(tx, t); err != nil {
			return err
		}
		p, there := policies.Get(tx, t.key(t.Qualifier)...)
		if !there {
			return byUser(errResourceNotFoundException(msgNoPolicy))
		}
		if err := p.remove(*in.StatementId, in.RevisionId, "GetPolicy", revision); err != nil {
			return err
		}
		if len(p.Statements) == 0 {
			policies.Delete(tx, t.key(t.Qualifier)...)
			return nil
		}
		policies.Put(tx, p, t.key(t.Qualifier)...)
		return nil
	})
}

// GetPolicy returns the policy of a function, a version or an alias.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
func (s *Service) GetPolicy(ctx context.Context, in *GetPolicyInput) (*GetPolicyOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var p policy
	err = s.Store.View(func(tx *store.Tx) error {
		var kept bool
		if _, there := s.record(tx, t); there {
			p, kept = policies.Get(tx, t.key(t.Qualifier)...)
		}
		if !kept {
			return byUser(errResourceNotFoundException(msgNoResource))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &GetPolicyOutput{Policy: new(p.document()), RevisionId: &p.Revision}, nil
}
