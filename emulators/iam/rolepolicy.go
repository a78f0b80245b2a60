package iam

import "context"

// PutRolePolicy adds an inline policy to a role or replaces it. A role's inline policies have 10240 characters together at most,
// without white space; LimitExceeded above that, MalformedPolicyDocument for a document that is no policy.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func (s *service) PutRolePolicy(ctx context.Context, in *PutRolePolicyInput) (*PutRolePolicyOutput, error) {
	return &PutRolePolicyOutput{}, s.putInline(ctx, kindRole, *in.RoleName, *in.PolicyName, *in.PolicyDocument)
}

// GetRolePolicy returns an inline policy of a role, percent-encoded.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
func (s *service) GetRolePolicy(ctx context.Context, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	document, err := s.inline(ctx, kindRole, *in.RoleName, *in.PolicyName)
	return &GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// ListRolePolicies lists the names of a role's inline policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
func (s *service) ListRolePolicies(ctx context.Context, in *ListRolePoliciesInput) (*ListRolePoliciesOutput, error) {
	names, truncated, next, err := s.inlineNames(ctx, kindRole, *in.RoleName, in.Marker, in.MaxItems)
	return &ListRolePoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// DeleteRolePolicy deletes an inline policy of a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
func (s *service) DeleteRolePolicy(ctx context.Context, in *DeleteRolePolicyInput) (*DeleteRolePolicyOutput, error) {
	return &DeleteRolePolicyOutput{}, s.deleteInline(ctx, kindRole, *in.RoleName, *in.PolicyName)
}

// AttachRolePolicy attaches a managed policy, of the account or of AWS, to a role; once more is no error. NoSuchEntity if there is
// no such policy, LimitExceeded above 10.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
func (s *service) AttachRolePolicy(ctx context.Context, in *AttachRolePolicyInput) (*AttachRolePolicyOutput, error) {
	return &AttachRolePolicyOutput{}, s.attach(ctx, kindRole, *in.RoleName, *in.PolicyArn)
}

// DetachRolePolicy takes a managed policy from a role. NoSuchEntity if it is not attached.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
func (s *service) DetachRolePolicy(ctx context.Context, in *DetachRolePolicyInput) (*DetachRolePolicyOutput, error) {
	return &DetachRolePolicyOutput{}, s.detach(ctx, kindRole, *in.RoleName, *in.PolicyArn)
}

// ListAttachedRolePolicies lists the managed policies that are attached to a role, those under PathPrefix.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
func (s *service) ListAttachedRolePolicies(ctx context.Context, in *ListAttachedRolePoliciesInput) (*ListAttachedRolePoliciesOutput, error) {
	policies, truncated, next, err := s.attached(ctx, kindRole, *in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedRolePoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: next}, err
}

// PutRolePermissionsBoundary sets the managed policy that bounds what a role may do; here it is kept and shown, and bounds nothing.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
func (s *service) PutRolePermissionsBoundary(ctx context.Context, in *PutRolePermissionsBoundaryInput) (*PutRolePermissionsBoundaryOutput, error) {
	return &PutRolePermissionsBoundaryOutput{}, s.putBoundary(ctx, kindRole, *in.RoleName, in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary removes a role's boundary. NoSuchEntity if it has none.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
func (s *service) DeleteRolePermissionsBoundary(ctx context.Context, in *DeleteRolePermissionsBoundaryInput) (*DeleteRolePermissionsBoundaryOutput, error) {
	return &DeleteRolePermissionsBoundaryOutput{}, s.deleteBoundary(ctx, kindRole, *in.RoleName)
}
