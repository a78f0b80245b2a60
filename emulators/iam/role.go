package iam

import (
	"context"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// usualSession is how long a role's session may last at most if nobody says otherwise, in seconds.
const usualSession = 3600

// serviceRoles is the path of roles that belong to a service, and may not be changed by hand.
const serviceRoles = "/aws-service-role/"

// Messages in the service's words.
const (
	msgProtected = "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS" // https://github.com/gruntwork-io/cloud-nuke/issues/880
	msgTrustSize = "Cannot exceed quota for ACLSizePerRole: %d"                                                    // https://github.com/kubeflow/dashboard/issues/29
)

// maxTrust is the largest assume role policy in characters, without white space.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
const maxTrust = 2048

// CreateRole makes a role. The answer carries the document percent-encoded, and MaxSessionDuration not at all.
//
// MaxSessionDuration is in seconds, 3600 to 43200, 3600 if not given. EntityAlreadyExists if the name is taken, in whatever case;
// MalformedPolicyDocument if the trust policy is none; NoSuchEntity if there is no policy to be the boundary.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func (s *service) CreateRole(ctx context.Context, in *CreateRoleInput) (*CreateRoleOutput, error) {
	if err := checkTrust(*in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if strings.HasPrefix(pathOr(in.Path), serviceRoles) {
		return nil, errInvalidInputException("The path %s is reserved for service-linked roles.", *in.Path) // a guess
	}
	tags, err := mergeTags(nil, in.Tags, kindRole)
	if err != nil {
		return nil, err
	}
	r := identity{
		Kind: kindRole, Account: wire.From(ctx).Account, Name: *in.RoleName, Path: pathOr(in.Path), ID: s.id("AROA"), Created: s.now(),
		Trust: *in.AssumeRolePolicyDocument, Description: in.Description, MaxSession: usualSession, Tags: tags,
	}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := r.bound(tx, in.PermissionsBoundary); err != nil {
			return err
		}
		return r.add(tx)
	})
	if err != nil {
		return nil, err
	}
	shown := r.role()
	shown.MaxSessionDuration = nil // recorded answer
	return &CreateRoleOutput{Role: &shown}, nil
}

// checkTrust checks an assume role policy.
func checkTrust(document string) error {
	if err := checkDocument(document, trustPolicy); err != nil {
		return err
	}
	if size(document) > maxTrust {
		return errLimitExceededException(msgTrustSize, maxTrust)
	}
	return nil
}

// role is a role as CreateRole and ListRoles show it.
func (i *identity) role() Role {
	return Role{
		Path: &i.Path, RoleName: &i.Name, RoleId: &i.ID, Arn: i.arn(), CreateDate: &i.Created, Description: i.Description,
		AssumeRolePolicyDocument: encoded(i.Trust), MaxSessionDuration: &i.MaxSession, PermissionsBoundary: i.boundary(), Tags: i.Tags,
	}
}

// GetRole returns a role. RoleLastUsed is empty, as nothing here notes that a role is used.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func (s *service) GetRole(ctx context.Context, in *GetRoleInput) (*GetRoleOutput, error) {
	var r Role
	err := s.view(ctx, kindRole, *in.RoleName, func(i *identity) { r = i.role() })
	r.RoleLastUsed = &RoleLastUsed{}
	return &GetRoleOutput{Role: &r}, err
}

// ListRoles lists roles by name, those under PathPrefix. MaxItems is 1 to 1000, 100 if not given. Tags, boundaries and last uses
// are left out, as the API reference says.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
func (s *service) ListRoles(ctx context.Context, in *ListRolesInput) (*ListRolesOutput, error) {
	all, err := s.list(ctx, kindRole, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, (*identity).byName, in.Marker, in.MaxItems)
	out := &ListRolesOutput{Roles: []Role{}, IsTruncated: truncated, Marker: next}
	for i := range part {
		r := part[i].role()
		r.Tags, r.PermissionsBoundary = nil, nil
		out.Roles = append(out.Roles, r)
	}
	return out, err
}

// changeRole lets f change a role that is not a service's own.
func (s *service) changeRole(ctx context.Context, name string, f func(tx *store.Tx, i *identity) error) error {
	return s.change(ctx, kindRole, name, func(tx *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		return f(tx, i)
	})
}

// unprotected says UnmodifiableEntity of a service's own role.
func (i *identity) unprotected() error {
	if i.Kind == kindRole && strings.HasPrefix(i.Path, serviceRoles) {
		return errUnmodifiableEntityException(msgProtected, i.Name)
	}
	return nil
}

// UpdateRole changes a role's description and the longest time that a session may last, in seconds from 3600 to 43200. What is
// not given stays as it is, as to the description (a guess), and goes back to 3600, as to the time.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
func (s *service) UpdateRole(ctx context.Context, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	return &UpdateRoleOutput{}, s.changeRole(ctx, *in.RoleName, func(_ *store.Tx, i *identity) error {
		i.MaxSession = usualSession
		if in.Description != nil {
			i.Description = in.Description
		}
		if in.MaxSessionDuration != nil {
			i.MaxSession = *in.MaxSessionDuration
		}
		return nil
	})
}

// UpdateRoleDescription changes a role's description; UpdateRole has taken its place.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html
func (s *service) UpdateRoleDescription(ctx context.Context, in *UpdateRoleDescriptionInput) (*UpdateRoleDescriptionOutput, error) {
	var r Role
	err := s.changeRole(ctx, *in.RoleName, func(_ *store.Tx, i *identity) error {
		i.Description = in.Description
		r = i.role()
		return nil
	})
	return &UpdateRoleDescriptionOutput{Role: &r}, err
}

// UpdateAssumeRolePolicy replaces the policy that says who may take on a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
func (s *service) UpdateAssumeRolePolicy(ctx context.Context, in *UpdateAssumeRolePolicyInput) (*UpdateAssumeRolePolicyOutput, error) {
	return &UpdateAssumeRolePolicyOutput{}, s.changeRole(ctx, *in.RoleName, func(_ *store.Tx, i *identity) error {
		if err := checkTrust(*in.PolicyDocument); err != nil {
			return err
		}
		i.Trust = *in.PolicyDocument
		return nil
	})
}

// DeleteRole deletes a role. DeleteConflict as long as it has policies, or is in an instance profile.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
func (s *service) DeleteRole(ctx context.Context, in *DeleteRoleInput) (*DeleteRoleOutput, error) {
	return &DeleteRoleOutput{}, s.Store.Update(func(tx *store.Tx) error {
		i, err := find(tx, wire.From(ctx).Account, kindRole, *in.RoleName)
		if err != nil {
			return err
		}
		if err := i.unprotected(); err != nil {
			return err
		}
		if i.inProfile(tx) {
			return errDeleteConflictException(msgInProfile)
		}
		return i.remove(tx)
	})
}

// TagRole sets tags of a role: at most 50, and keys that differ by case alone are the same key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
func (s *service) TagRole(ctx context.Context, in *TagRoleInput) (*TagRoleOutput, error) {
	return &TagRoleOutput{}, s.tag(ctx, kindRole, *in.RoleName, in.Tags)
}

// UntagRole removes tags of a role; those that it does not have are no error.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html
func (s *service) UntagRole(ctx context.Context, in *UntagRoleInput) (*UntagRoleOutput, error) {
	return &UntagRoleOutput{}, s.untag(ctx, kindRole, *in.RoleName, in.TagKeys)
}

// ListRoleTags lists the tags of a role, by key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html
func (s *service) ListRoleTags(ctx context.Context, in *ListRoleTagsInput) (*ListRoleTagsOutput, error) {
	tags, truncated, next, err := s.tags(ctx, kindRole, *in.RoleName, in.Marker, in.MaxItems)
	return &ListRoleTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, err
}
