package iam

import "context"

// PutGroupPolicy adds an inline policy to a group or replaces it. A group's inline policies have 5120 characters together at most,
// without white space; LimitExceeded above that, MalformedPolicyDocument for a document that is no policy.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html
func (s *service) PutGroupPolicy(ctx context.Context, in *PutGroupPolicyInput) (*PutGroupPolicyOutput, error) {
	return &PutGroupPolicyOutput{}, s.putInline(ctx, kindGroup, *in.GroupName, *in.PolicyName, *in.PolicyDocument)
}

// GetGroupPolicy returns an inline policy of a group, percent-encoded.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html
func (s *service) GetGroupPolicy(ctx context.Context, in *GetGroupPolicyInput) (*GetGroupPolicyOutput, error) {
	document, err := s.inline(ctx, kindGroup, *in.GroupName, *in.PolicyName)
	return &GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// ListGroupPolicies lists the names of a group's inline policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html
func (s *service) ListGroupPolicies(ctx context.Context, in *ListGroupPoliciesInput) (*ListGroupPoliciesOutput, error) {
	names, truncated, next, err := s.inlineNames(ctx, kindGroup, *in.GroupName, in.Marker, in.MaxItems)
	return &ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// DeleteGroupPolicy deletes an inline policy of a group.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html
func (s *service) DeleteGroupPolicy(ctx context.Context, in *DeleteGroupPolicyInput) (*DeleteGroupPolicyOutput, error) {
	return &DeleteGroupPolicyOutput{}, s.deleteInline(ctx, kindGroup, *in.GroupName, *in.PolicyName)
}

// AttachGroupPolicy attaches a managed policy, of the account or of AWS, to a group; once more is no error. NoSuchEntity if there is
// no such policy, LimitExceeded above 10.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html
func (s *service) AttachGroupPolicy(ctx context.Context, in *AttachGroupPolicyInput) (*AttachGroupPolicyOutput, error) {
	return &AttachGroupPolicyOutput{}, s.attach(ctx, kindGroup, *in.GroupName, *in.PolicyArn)
}

// DetachGroupPolicy takes a managed policy from a group. NoSuchEntity if it is not attached.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html
func (s *service) DetachGroupPolicy(ctx context.Context, in *DetachGroupPolicyInput) (*DetachGroupPolicyOutput, error) {
	return &DetachGroupPolicyOutput{}, s.detach(ctx, kindGroup, *in.GroupName, *in.PolicyArn)
}

// ListAttachedGroupPolicies lists the managed policies that are attached to a group, those under PathPrefix.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html
func (s *service) ListAttachedGroupPolicies(ctx context.Context, in *ListAttachedGroupPoliciesInput) (*ListAttachedGroupPoliciesOutput, error) {
	policies, truncated, next, err := s.attached(ctx, kindGroup, *in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedGroupPoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: next}, err
}
