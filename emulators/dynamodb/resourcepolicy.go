package dynamodb

import (
	"context"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

var policies = store.NewTable[resourcePolicy]("policies") // by account, region, table name, stream label

// resourcePolicy is the policy of a table, or of a stream. It is kept and returned; as everywhere here, nobody is refused
// for want of permission.
type resourcePolicy struct {
	Revision  int64  // the instant of the change in milliseconds
	Document  string // as it is returned; "" for one that was deleted
	Canonical string // what another is compared with
}

func (p *resourcePolicy) id() *string { return new(strconv.FormatInt(p.Revision, 10)) }

// noPolicy is the ExpectedRevisionId of a resource without a policy.
const noPolicy = "NO_POLICY"

// The words of AWS's answers, as observed (ack-api-quirks, DDB-TABLE-205, 209, 212). What follows "no associated" and "associated to
// target ta" was cut by the observer and is a guess, and so is msgPolicyPresent.
const (
	msgPolicyARNStart  = "ARNs must start with 'arn:': %s"
	msgPolicyARN       = "Invalid resource Arn: %s"
	msgPolicyARNKind   = "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s"
	msgPolicyARNNone   = "Provided Arn is not a DynamoDB resource arn: %s"
	msgNoStream        = "Requested resource not found: Stream: %s not found for Table: %s"
	msgPolicyNone      = "Resource-based policy not found for the provided ResourceArn: Requested update for policy with revision id %s, but table %s has no associated policy."
	msgPolicyRevision  = "Resource-based policy not found for the provided ResourceArn: Requested update for policy with revision id %s, but the policy associated to target table %s has revision id %s."
	msgPolicyPresent   = "Resource-based policy not found for the provided ResourceArn: Requested policy update expecting none to be present for table %s, but a policy exists with revision id %s."
	msgPolicyOfNothing = "Resource-based policy not found for the provided ResourceArn: %s"
)

// policyOwner is what a ResourceArn names: a table, or a stream of it.
type policyOwner struct{ account, region, table, label string }

func (o policyOwner) key() []any { return []any{o.account, o.region, o.table, o.label} }

// parsePolicyOwner reads a ResourceArn.
func parsePolicyOwner(r *wire.Request, arn string) (o policyOwner, err error) {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case parts[0] != "arn":
		return o, badParameter(msgPolicyARNStart, arn)
	case len(parts) == 6 && parts[4] != r.Account:
		return o, errValidation(msgOtherAccount)
	case len(parts) < 6 || parts[1] != "aws" || parts[2] != "dynamodb" || parts[3] != r.Region:
		return o, badParameter(msgPolicyARN, arn)
	}
	path := strings.Split(parts[5], "/")
	o = policyOwner{account: r.Account, region: r.Region}
	switch {
	case path[0] != "table" || len(path) < 2 || path[1] == "":
		return o, badParameter(msgPolicyARNNone, arn)
	case len(path) == 2:
		o.table = path[1]
	case len(path) == 4 && path[2] == "stream" && path[3] != "":
		o.table, o.label = path[1], path[3]
	case len(path) == 4 && path[2] == "index":
		return o, badParameter(msgPolicyARNKind, arn)
	default:
		return o, badParameter(msgPolicyARNNone, arn)
	}
	return o, nil
}

// check checks that the table, or the stream, is there.
func (o policyOwner) check(s *service, tx *store.Tx, now time.Time) error {
	if o.label != "" {
		if m, ok := streams.Get(tx, o.account, o.region, o.table, o.label); !ok || m.gone(now) {
			return errResourceNotFoundException(msgNoStream, o.label, o.table)
		}
		return nil
	}
	t, err := s.cache.find(tx, o.account, o.region, o.table)
	if err == nil && t.settle(now) == nil {
		err = errResourceNotFoundException(msgTableNotFound, o.table)
	}
	return err
}

// checkChange checks besides that the table is not being deleted.
func (o policyOwner) checkChange(s *service, tx *store.Tx, now time.Time) error {
	if err := o.check(s, tx, now); err != nil {
		return err
	}
	if t, ok := tables.Get(tx, o.account, o.region, o.table); ok && t.under(deleting) != nil {
		return inUse("Table is being deleted: %s", o.table)
	}
	return nil
}

// expect compares the policy with the ExpectedRevisionId of a request.
func (o policyOwner) expect(p resourcePolicy, expected *string) error {
	switch {
	case expected == nil:
	case *expected == noPolicy && p.Document != "":
		return errPolicyNotFoundException(msgPolicyPresent, o.table, *p.id())
	case *expected == noPolicy:
	case p.Document == "":
		return errPolicyNotFoundException(msgPolicyNone, *expected, o.table)
	case *expected != *p.id():
		return errPolicyNotFoundException(msgPolicyRevision, *expected, o.table, *p.id())
	}
	return nil
}

// putPolicy puts a policy in place of what is there, and returns it. The same again changes nothing.
func (o policyOwner) putPolicy(tx *store.Tx, d *policyDocument, now time.Time) resourcePolicy {
	p, _ := policies.Get(tx, o.key()...)
	if p.Document != "" && d.sameAs(p.Canonical) {
		return p
	}
	p = resourcePolicy{Revision: max(now.UnixMilli(), p.Revision+1), Document: d.returned(), Canonical: d.canonical(d.version)}
	policies.Put(tx, p, o.key()...)
	return p
}

// PutResourcePolicy gives a table or a stream a policy, at once. AWS takes no other for 15 seconds after; here there is no
// such wait.
//
// PolicyNotFoundException if ExpectedRevisionId is not that of the policy. AccessDeniedException if the policy would deny its
// author to change it, unless ConfirmRemoveSelfResourceAccess is set.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html
func (s *service) PutResourcePolicy(ctx context.Context, in *PutResourcePolicyInput) (out *PutResourcePolicyOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	o, err := parsePolicyOwner(r, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	d, err := newPolicy(*in.Policy, o.label != "")
	if err != nil {
		return nil, err
	}
	confirmed := in.ConfirmRemoveSelfResourceAccess != nil && *in.ConfirmRemoveSelfResourceAccess
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := o.checkChange(s, tx, now); err != nil {
			return err
		}
		if !confirmed && d.locksOut(r.Account) {
			return errLockout()
		}
		p, _ := policies.Get(tx, o.key()...)
		if err := o.expect(p, in.ExpectedRevisionId); err != nil {
			return err
		}
		p = o.putPolicy(tx, d, now)
		out = &PutResourcePolicyOutput{RevisionId: p.id()}
		return nil
	})
	return out, err
}

// GetResourcePolicy returns a policy in AWS's form, PolicyNotFoundException if there is none.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
func (s *service) GetResourcePolicy(ctx context.Context, in *GetResourcePolicyInput) (out *GetResourcePolicyOutput, err error) {
	now := s.Clock.Now()
	o, err := parsePolicyOwner(wire.From(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(func(tx *store.Tx) error {
		if err := o.check(s, tx, now); err != nil {
			return err
		}
		p, _ := policies.Get(tx, o.key()...)
		if p.Document == "" {
			return errPolicyNotFoundException(msgPolicyOfNothing, *in.ResourceArn)
		}
		out = &GetResourcePolicyOutput{Policy: new(p.Document), RevisionId: p.id()}
		return nil
	})
	return out, err
}

// DeleteResourcePolicy takes a policy away. That there was none is no error, unless ExpectedRevisionId names one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteResourcePolicy.html
func (s *service) DeleteResourcePolicy(ctx context.Context, in *DeleteResourcePolicyInput) (out *DeleteResourcePolicyOutput, err error) {
	now := s.Clock.Now()
	o, err := parsePolicyOwner(wire.From(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := o.checkChange(s, tx, now); err != nil {
			return err
		}
		p, _ := policies.Get(tx, o.key()...)
		if err := o.expect(p, in.ExpectedRevisionId); err != nil {
			return err
		}
		out = &DeleteResourcePolicyOutput{}
		if p.Revision != 0 {
			out.RevisionId = p.id() // if it is gone already, that of its deletion (ack-api-quirks, DDB-TABLE-205)
		}
		if p.Document == "" {
			return nil
		}
		// The revision stays, so that none is given twice.
		policies.Put(tx, resourcePolicy{Revision: max(now.UnixMilli(), p.Revision+1)}, o.key()...)
		return nil
	})
	return out, err
}

// newTablePolicy checks the policy of a table that is created, and returns what puts it in place once the table is there.
func newTablePolicy(t *table, text *string, now time.Time) (put func(tx *store.Tx), err error) {
	if text == nil {
		return func(*store.Tx) {}, nil
	}
	d, err := newPolicy(*text, false)
	if err != nil {
		return nil, err
	}
	if d.locksOut(t.Account) {
		return nil, errLockout()
	}
	return func(tx *store.Tx) { policyOwner{t.Account, t.Region, t.Name, ""}.putPolicy(tx, d, now) }, nil
}

// dropPolicies removes the policies of a table that is deleted, and of its streams.
func dropPolicies(tx *store.Tx, t *table) { policies.Clear(tx, t.Account, t.Region, t.Name) }
