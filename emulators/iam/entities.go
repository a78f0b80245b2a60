package iam

import (
	"context"
	"slices"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// ListEntitiesForPolicy lists the groups, users and roles that a managed policy is attached to, or whose boundary it is; those
// under PathPrefix, of the kind that EntityFilter says, in the use that PolicyUsageFilter says. MaxItems counts all of them.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
func (s *service) ListEntitiesForPolicy(ctx context.Context, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	var all []identity
	err := s.viewPolicy(ctx, *in.PolicyArn, func(tx *store.Tx, _ *policy) error {
		all = slices.DeleteFunc(slices.Collect(identities.All(tx, wire.From(ctx).Account)), func(i identity) bool { return !in.wants(&i) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, func(i *identity) string { return string(i.Kind) + "/" + i.byName() }, in.Marker, in.MaxItems)
	out := &ListEntitiesForPolicyOutput{
		PolicyGroups: []PolicyGroup{}, PolicyUsers: []PolicyUser{}, PolicyRoles: []PolicyRole{}, IsTruncated: truncated, Marker: next,
	}
	for _, i := range part {
		switch i.Kind {
		case kindGroup:
			out.PolicyGroups = append(out.PolicyGroups, PolicyGroup{GroupName: &i.Name, GroupId: &i.ID})
		case kindUser:
			out.PolicyUsers = append(out.PolicyUsers, PolicyUser{UserName: &i.Name, UserId: &i.ID})
		case kindRole:
			out.PolicyRoles = append(out.PolicyRoles, PolicyRole{RoleName: &i.Name, RoleId: &i.ID})
		}
	}
	return out, err
}

// wants says whether an identity uses the policy in the way that is asked for.
func (in *ListEntitiesForPolicyInput) wants(i *identity) bool {
	if !strings.HasPrefix(i.Path, pathOr(in.PathPrefix)) || in.EntityFilter != nil && !strings.EqualFold(*in.EntityFilter, string(i.Kind)) {
		return false
	}
	attached, boundary := slices.Contains(i.Attached, *in.PolicyArn), i.Boundary == *in.PolicyArn
	switch {
	case in.PolicyUsageFilter == nil:
		return attached || boundary
	case *in.PolicyUsageFilter == PolicyUsageTypePermissionsBoundary:
		return boundary
	}
	return attached
}
