package iam

import "context"

// PutUserPolicy adds an inline policy to a user or replaces it. A user's inline policies have 2048 characters together at most,
// without white space; LimitExceeded above that, MalformedPolicyDocument for a document that is no policy.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
func (s *service) PutUserPolicy(ctx context.Context, in *PutUserPolicyInput) (*PutUserPolicyOutput, error) {
	return &PutUserPolicyOutput{}, s.putInline(ctx, kindUser, *in.UserName, *in.PolicyName, *in.PolicyDocument)
}

// GetUserPolicy returns an inline policy of a user, percent-encoded.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html
func (s *service) GetUserPolicy(ctx context.Context, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	document, err := s.inline(ctx, kindUser, *in.UserName, *in.PolicyName)
	return &GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// ListUserPolicies lists the names of a user's inline policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html
func (s *service) ListUserPolicies(ctx context.Context, in *ListUserPoliciesInput) (*ListUserPoliciesOutput, error) {
	names, truncated, next, err := s.inlineNames(ctx, kindUser, *in.UserName, in.Marker, in.MaxItems)
	return &ListUserPoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// DeleteUserPolicy deletes an inline policy of a user.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html
func (s *service) DeleteUserPolicy(ctx context.Context, in *DeleteUserPolicyInput) (*DeleteUserPolicyOutput, error) {
	return &DeleteUserPolicyOutput{}, s.deleteInline(ctx, kindUser, *in.UserName, *in.PolicyName)
}

// AttachUserPolicy attaches a managed policy, of the account or of AWS, to a user; once more is no error. NoSuchEntity if there is
// no such policy, LimitExceeded above 10.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
func (s *service) AttachUserPolicy(ctx context.Context, in *AttachUserPolicyInput) (*AttachUserPolicyOutput, error) {
	return &AttachUserPolicyOutput{}, s.attach(ctx, kindUser, *in.UserName, *in.PolicyArn)
}

// DetachUserPolicy takes a managed policy from a user. NoSuchEntity if it is not attached.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html
func (s *service) DetachUserPolicy(ctx context.Context, in *DetachUserPolicyInput) (*DetachUserPolicyOutput, error) {
	return &DetachUserPolicyOutput{}, s.detach(ctx, kindUser, *in.UserName, *in.PolicyArn)
}

// ListAttachedUserPolicies lists the managed policies that are attached to a user, those under PathPrefix.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html
func (s *service) ListAttachedUserPolicies(ctx context.Context, in *ListAttachedUserPoliciesInput) (*ListAttachedUserPoliciesOutput, error) {
	policies, truncated, next, err := s.attached(ctx, kindUser, *in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedUserPoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: next}, err
}

// PutUserPermissionsBoundary sets the managed policy that bounds what a user may do; here it is kept and shown, and bounds nothing.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
func (s *service) PutUserPermissionsBoundary(ctx context.Context, in *PutUserPermissionsBoundaryInput) (*PutUserPermissionsBoundaryOutput, error) {
	return &PutUserPermissionsBoundaryOutput{}, s.putBoundary(ctx, kindUser, *in.UserName, in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundary removes a user's boundary. NoSuchEntity if it has none.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html
func (s *service) DeleteUserPermissionsBoundary(ctx context.Context, in *DeleteUserPermissionsBoundaryInput) (*DeleteUserPermissionsBoundaryOutput, error) {
	return &DeleteUserPermissionsBoundaryOutput{}, s.deleteBoundary(ctx, kindUser, *in.UserName)
}
