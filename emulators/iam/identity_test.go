package iam

import (
	"net/url"
	"testing"
)

// TestPoliciesOfUsersAndGroups: the operations are those of roles, which the conversation about them shows in full.
func TestPoliciesOfUsersAndGroups(t *testing.T) {
	s, _, _ := open(t)
	ctx := t.Context()
	createUser(t, s, "ann")
	must[*CreateGroupOutput](t)(s.CreateGroup(ctx, &CreateGroupInput{GroupName: new("g"), Path: new("/team/")}))
	arn, document := createPolicy(t, s, "p"), statement(`{`+getObject+`,"Resource":"arn:aws:s3:::b/a b+c*~"}`)

	must[*PutUserPolicyOutput](t)(s.PutUserPolicy(ctx, &PutUserPolicyInput{UserName: new("ann"), PolicyName: new("i"), PolicyDocument: &document}))
	must[*PutGroupPolicyOutput](t)(s.PutGroupPolicy(ctx, &PutGroupPolicyInput{GroupName: new("g"), PolicyName: new("i"), PolicyDocument: &document}))
	ofUser := must[*GetUserPolicyOutput](t)(s.GetUserPolicy(ctx, &GetUserPolicyInput{UserName: new("ann"), PolicyName: new("i")})).PolicyDocument
	ofGroup := must[*GetGroupPolicyOutput](t)(s.GetGroupPolicy(ctx, &GetGroupPolicyInput{GroupName: new("g"), PolicyName: new("i")})).PolicyDocument
	if got, err := url.PathUnescape(*ofUser); err != nil || got != document || *ofGroup != *ofUser {
		t.Errorf("got %s and %s (%v), want %s as it was sent", *ofUser, *ofGroup, err, document)
	}
	if names := must[*ListGroupPoliciesOutput](t)(s.ListGroupPolicies(ctx, &ListGroupPoliciesInput{GroupName: new("g")})).PolicyNames; len(names) != 1 {
		t.Errorf("the group's inline policies: %v", names)
	}
	must[*AttachUserPolicyOutput](t)(s.AttachUserPolicy(ctx, &AttachUserPolicyInput{UserName: new("ann"), PolicyArn: &arn}))
	for range 2 { // the second changes nothing
		must[*AttachGroupPolicyOutput](t)(s.AttachGroupPolicy(ctx, &AttachGroupPolicyInput{GroupName: new("g"), PolicyArn: &arn}))
	}
	used := must[*ListEntitiesForPolicyOutput](t)(s.ListEntitiesForPolicy(ctx, &ListEntitiesForPolicyInput{PolicyArn: &arn, MaxItems: new(int32(1))}))
	if len(used.PolicyGroups) != 1 || len(used.PolicyUsers) != 0 || !*used.IsTruncated {
		t.Errorf("the first of those who use it: %+v", used)
	}
	used = must[*ListEntitiesForPolicyOutput](t)(s.ListEntitiesForPolicy(ctx, &ListEntitiesForPolicyInput{PolicyArn: &arn, Marker: used.Marker}))
	if len(used.PolicyGroups) != 0 || len(used.PolicyUsers) != 1 || *used.IsTruncated {
		t.Errorf("the others: %+v", used)
	}
	if a := must[*ListAttachedGroupPoliciesOutput](t)(s.ListAttachedGroupPolicies(ctx, &ListAttachedGroupPoliciesInput{GroupName: new("g"), PathPrefix: new("/other/")})).AttachedPolicies; len(a) != 0 {
		t.Errorf("attached from another path: %v", a)
	}

	_, err := s.DeleteGroup(ctx, &DeleteGroupInput{GroupName: new("g")})
	wantError(t, err, "DeleteConflictException", msgMustDetach)
	must[*DetachGroupPolicyOutput](t)(s.DetachGroupPolicy(ctx, &DetachGroupPolicyInput{GroupName: new("g"), PolicyArn: &arn}))
	_, err = s.DeleteGroup(ctx, &DeleteGroupInput{GroupName: new("g")})
	wantError(t, err, "DeleteConflictException", msgMustDelete)
	must[*DeleteGroupPolicyOutput](t)(s.DeleteGroupPolicy(ctx, &DeleteGroupPolicyInput{GroupName: new("g"), PolicyName: new("i")}))
	must[*DeleteGroupOutput](t)(s.DeleteGroup(ctx, &DeleteGroupInput{GroupName: new("g")}))
	must[*DetachUserPolicyOutput](t)(s.DetachUserPolicy(ctx, &DetachUserPolicyInput{UserName: new("ann"), PolicyArn: &arn}))
	must[*DeleteUserPolicyOutput](t)(s.DeleteUserPolicy(ctx, &DeleteUserPolicyInput{UserName: new("ann"), PolicyName: new("i")}))
	must[*DeleteUserOutput](t)(s.DeleteUser(ctx, &DeleteUserInput{UserName: new("ann")}))
}

func TestPolicyARNsThatAreNone(t *testing.T) {
	s, _, _ := open(t)
	createRole(t, s, "r")
	for _, tt := range []struct{ name, arn, code, message string }{
		{"no ARN", "just-the-name-of-a-policy", "ValidationError", msgBadARN},
		{"too short an ARN", "arn:aws:iam::000000000000", "ValidationError", msgBadARN},
		{"a role's", "arn:aws:iam::000000000000:role/r", "InvalidInputException", "ARN arn:aws:iam::000000000000:role/r is not valid."},
		{"nobody's", "arn:aws:iam::000000000000:policy/x", "NoSuchEntityException", "Policy arn:aws:iam::000000000000:policy/x does not exist or is not attachable."},
		{"a path that the policy does not have", "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole", "NoSuchEntityException", "Policy arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.AttachRolePolicy(t.Context(), &AttachRolePolicyInput{RoleName: new("r"), PolicyArn: &tt.arn})
			wantError(t, err, tt.code, tt.message)
		})
	}
}
