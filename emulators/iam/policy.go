package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// policies are the customer managed policies.
var policies = store.NewTable[policy]("policies") // by account and lower-case name

// policy is a managed policy with its versions.
type policy struct {
	Name, Path, ID   string
	Account          string // "aws" for AWS's own
	Created, Updated time.Time
	Description      *string   `json:",omitempty"`
	Versions         []version // the oldest first
	Default          string    // "v1"
	Last             int       // the number of the newest version that there ever was
	Tags             []Tag     `json:",omitempty"` // by key
}

// kindPolicy is what tags have to do with policies.
const kindPolicy kind = "policy"

// Messages in the service's words, where they are not guesses.
const (
	msgPolicyExists = "A policy called %s already exists. Duplicate names are not allowed."                                                                                       // https://github.com/pulumi/pulumi-aws/issues/1044
	msgPolicyInUse  = "Cannot delete a policy attached to entities."                                                                                                              // a guess at the words
	msgHasVersions  = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy." // https://github.com/rebuy-de/aws-nuke/issues/1
	msgAWSsOwn      = "AWS managed policies cannot be changed: %s"                                                                                                                // a guess; AWS says AccessDenied in words about the caller
)

func (p *policy) arn() string { return arn(p.Account, "policy"+p.Path+p.Name) }

func (p *policy) put(tx *store.Tx) { policies.Put(tx, *p, p.Account, strings.ToLower(p.Name)) }

// byName is the place of a policy in a list. One of AWS's may have the name of one of the account's.
func (p *policy) byName() string { return strings.ToLower(p.Name) + "/" + p.Account }

// findPolicy returns the account's or AWS's policy of an ARN.
func findPolicy(tx *store.Tx, account, arn string) (*policy, bool) {
	if p, ok := awsManaged()[arn]; ok {
		return p, true
	}
	_, name := pathAndName(arn)
	p, ok := policies.Get(tx, account, strings.ToLower(name))
	return &p, ok && p.arn() == arn
}

// viewPolicy shows a policy to f.
func (s *service) viewPolicy(ctx context.Context, arn string, f func(tx *store.Tx, p *policy) error) error {
	if err := checkARN(arn); err != nil {
		return err
	}
	return s.Store.View(func(tx *store.Tx) error {
		p, ok := findPolicy(tx, wire.From(ctx).Account, arn)
		if !ok {
			return errNoSuchEntityException(msgNoPolicy, arn)
		}
		return f(tx, p)
	})
}

// changePolicy lets f change a policy of the account. If f returns false the policy is deleted.
func (s *service) changePolicy(ctx context.Context, arn string, f func(tx *store.Tx, p *policy) (keep bool, err error)) error {
	if err := checkARN(arn); err != nil {
		return err
	}
	if _, ok := awsManaged()[arn]; ok {
		return wire.Errorf("AccessDenied", 403, msgAWSsOwn, arn)
	}
	return s.Store.Update(func(tx *store.Tx) error {
		p, ok := findPolicy(tx, wire.From(ctx).Account, arn)
		if !ok {
			return errNoSuchEntityException(msgNoPolicy, arn)
		}
		keep, err := f(tx, p)
		switch {
		case err != nil:
			return err
		case keep:
			p.put(tx)
		default:
			policies.Delete(tx, p.Account, strings.ToLower(p.Name))
		}
		return nil
	})
}

// CreatePolicy makes a managed policy with its version v1. The document has 6144 characters at most, without white space, and must
// be of version 2012-10-17. EntityAlreadyExists if the name is taken, under whatever path.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
func (s *service) CreatePolicy(ctx context.Context, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags, kindPolicy)
	if err != nil {
		return nil, err
	}
	now := s.now()
	p := policy{
		Name: *in.PolicyName, Path: pathOr(in.Path), ID: s.id("ANPA"), Account: wire.From(ctx).Account, Created: now, Updated: now,
		Description: in.Description, Versions: []version{{ID: "v1", Document: *in.PolicyDocument, Created: now}}, Default: "v1", Last: 1, Tags: tags,
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if _, taken := policies.Get(tx, p.Account, strings.ToLower(p.Name)); taken {
			return errEntityAlreadyExistsException(msgPolicyExists, p.Name)
		}
		p.put(tx)
		return nil
	})
	shown := p.show(usage{})
	shown.Description = nil // a guess: of GetPolicy alone the API reference says that it shows it
	return &CreatePolicyOutput{Policy: &shown}, err
}

// usage is by how many identities a policy is used.
type usage struct{ attached, boundary int32 }

// usages counts by whom the policies are used in an account.
func usages(tx *store.Tx, account string) map[string]usage {
	all := map[string]usage{}
	for i := range identities.All(tx, account) {
		for _, a := range i.Attached {
			u := all[a]
			u.attached++
			all[a] = u
		}
		if i.Boundary != "" {
			u := all[i.Boundary]
			u.boundary++
			all[i.Boundary] = u
		}
	}
	return all
}

// show is a policy as GetPolicy shows it. Of AWS's own, what is not known here is left out.
func (p *policy) show(u usage) Policy {
	shown := Policy{
		PolicyName: &p.Name, Arn: new(p.arn()), Path: &p.Path, AttachmentCount: &u.attached, PermissionsBoundaryUsageCount: &u.boundary,
		IsAttachable: new(true), Description: p.Description, Tags: p.Tags,
	}
	if p.ID != "" {
		shown.PolicyId, shown.CreateDate = &p.ID, &p.Created
	}
	if p.Default != "" {
		shown.DefaultVersionId, shown.UpdateDate = &p.Default, &p.Updated
	}
	return shown
}

// GetPolicy returns a managed policy of the account or of AWS.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
func (s *service) GetPolicy(ctx context.Context, in *GetPolicyInput) (*GetPolicyOutput, error) {
	var shown Policy
	err := s.viewPolicy(ctx, *in.PolicyArn, func(tx *store.Tx, p *policy) error {
		shown = p.show(usages(tx, wire.From(ctx).Account)[p.arn()])
		return nil
	})
	return &GetPolicyOutput{Policy: &shown}, err
}

// ListPolicies lists managed policies by name: the account's (Scope Local), those of AWS that are known here (Scope AWS), or both.
// Tags and descriptions are left out, as the API reference says.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
func (s *service) ListPolicies(ctx context.Context, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	var all []*policy
	var used map[string]usage
	account := wire.From(ctx).Account
	err := s.Store.View(func(tx *store.Tx) error {
		used, all = usages(tx, account), nil
		if in.Scope == nil || *in.Scope != PolicyScopeTypeAws {
			for p := range policies.All(tx, account) {
				all = append(all, &p)
			}
		}
		if in.Scope == nil || *in.Scope != PolicyScopeTypeLocal {
			for _, p := range awsManaged() {
				all = append(all, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p *policy) bool { return !in.wants(p, used[p.arn()]) })
	slices.SortFunc(all, func(a, b *policy) int { return strings.Compare(a.byName(), b.byName()) })
	part, truncated, next, err := page(all, func(p **policy) string { return (*p).byName() }, in.Marker, in.MaxItems)
	out := &ListPoliciesOutput{Policies: []Policy{}, IsTruncated: truncated, Marker: next}
	for _, p := range part {
		shown := p.show(used[p.arn()])
		shown.Tags, shown.Description = nil, nil
		out.Policies = append(out.Policies, shown)
	}
	return out, err
}

// wants says whether a policy belongs in a list. That PolicyUsageFilter PermissionsPolicy leaves out only what is nothing but a
// boundary is a guess.
func (in *ListPoliciesInput) wants(p *policy, u usage) bool {
	if !strings.HasPrefix(p.Path, pathOr(in.PathPrefix)) || in.OnlyAttached != nil && *in.OnlyAttached && u == (usage{}) {
		return false
	}
	switch {
	case in.PolicyUsageFilter == nil:
		return true
	case *in.PolicyUsageFilter == PolicyUsageTypePermissionsBoundary:
		return u.boundary > 0
	}
	return u.boundary == 0 || u.attached > 0
}

// DeletePolicy deletes a managed policy with its last version. DeleteConflict as long as it is used or has other versions.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
func (s *service) DeletePolicy(ctx context.Context, in *DeletePolicyInput) (*DeletePolicyOutput, error) {
	return &DeletePolicyOutput{}, s.changePolicy(ctx, *in.PolicyArn, func(tx *store.Tx, p *policy) (bool, error) {
		if usages(tx, p.Account)[p.arn()] != (usage{}) {
			return true, errDeleteConflictException(msgPolicyInUse)
		}
		if len(p.Versions) > 1 {
			return true, errDeleteConflictException(msgHasVersions)
		}
		return false, nil
	})
}

// TagPolicy sets tags of a policy, at most 50. Unlike those of users and roles, keys do differ by case.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html
func (s *service) TagPolicy(ctx context.Context, in *TagPolicyInput) (*TagPolicyOutput, error) {
	return &TagPolicyOutput{}, s.changePolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) (_ bool, err error) {
		p.Tags, err = mergeTags(p.Tags, in.Tags, kindPolicy)
		return true, err
	})
}

// UntagPolicy removes tags of a policy; those that it does not have are no error.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html
func (s *service) UntagPolicy(ctx context.Context, in *UntagPolicyInput) (*UntagPolicyOutput, error) {
	return &UntagPolicyOutput{}, s.changePolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) (bool, error) {
		p.Tags = withoutTags(p.Tags, in.TagKeys, kindPolicy)
		return true, nil
	})
}

// ListPolicyTags lists the tags of a policy, by key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html
func (s *service) ListPolicyTags(ctx context.Context, in *ListPolicyTagsInput) (*ListPolicyTagsOutput, error) {
	var all []Tag
	if err := s.viewPolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) error { all = p.Tags; return nil }); err != nil {
		return nil, err
	}
	tags, truncated, next, err := page(all, byKey, in.Marker, in.MaxItems)
	return &ListPolicyTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, err
}
