package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"devstack/emulators/wire"
)

const goodTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// must returns the answer of a call that may not fail.
func must[T any](t *testing.T) func(out T, err error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func createRole(t *testing.T, s *service, name string) *Role {
	t.Helper()
	return must[*CreateRoleOutput](t)(s.CreateRole(t.Context(), &CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(goodTrust)})).Role
}

func createUser(t *testing.T, s *service, name string) *User {
	t.Helper()
	return must[*CreateUserOutput](t)(s.CreateUser(t.Context(), &CreateUserInput{UserName: &name})).User
}

func createPolicy(t *testing.T, s *service, name string) string {
	t.Helper()
	out := must[*CreatePolicyOutput](t)(s.CreatePolicy(t.Context(), &CreatePolicyInput{
		PolicyName: &name, PolicyDocument: new(statement(`{` + getObject + `,"Resource":"*"}`)),
	}))
	return *out.Policy.Arn
}

// wantError checks an error's code and the beginning of its message.
func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != code || !strings.HasPrefix(e.Message, message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestPagesGoOnWhereTheyEndedWhateverComesAndGoes(t *testing.T) {
	s, _, _ := open(t)
	for _, name := range []string{"b", "A", "d", "C"} {
		createRole(t, s, name)
	}
	list := func(marker *string) *ListRolesOutput {
		return must[*ListRolesOutput](t)(s.ListRoles(t.Context(), &ListRolesInput{Marker: marker, MaxItems: new(int32(2))}))
	}
	names := func(out *ListRolesOutput) (all string) {
		for _, r := range out.Roles {
			all += *r.RoleName
		}
		return all
	}
	first := list(nil)
	if names(first) != "Ab" || !*first.IsTruncated {
		t.Errorf("first page %s, more %v", names(first), *first.IsTruncated)
	}
	if _, err := s.DeleteRole(t.Context(), &DeleteRoleInput{RoleName: new("b")}); err != nil {
		t.Fatal(err)
	}
	createRole(t, s, "aa")
	second := list(first.Marker)
	if names(second) != "Cd" || *second.IsTruncated || second.Marker != nil {
		t.Errorf("second page %s, more %v, marker %v", names(second), *second.IsTruncated, second.Marker)
	}
	_, err := s.ListRoles(t.Context(), &ListRolesInput{Marker: new("?")})
	wantError(t, err, "ValidationError", msgBadMarker)
}

func TestQuotas(t *testing.T) {
	s, _, _ := open(t)
	ctx := t.Context()
	createRole(t, s, "r")
	createUser(t, s, "u")
	large := func(n int) *string { // a document of at least n characters
		return new(statement(`{` + getObject + `,"Resource":"arn:aws:s3:::` + strings.Repeat("b", n) + `"}`))
	}
	for _, tt := range []struct {
		name    string
		call    func() error
		message string
	}{
		{"the trust policy", func() error {
			_, err := s.UpdateAssumeRolePolicy(ctx, &UpdateAssumeRolePolicyInput{RoleName: new("r"), PolicyDocument: new(strings.Replace(goodTrust, `"Effect"`, `"Sid":"`+strings.Repeat("a", 2048)+`","Effect"`, 1))})
			return err
		}, "Cannot exceed quota for ACLSizePerRole: 2048"},
		{"a role's inline policies together", func() error {
			if _, err := s.PutRolePolicy(ctx, &PutRolePolicyInput{RoleName: new("r"), PolicyName: new("a"), PolicyDocument: large(5000)}); err != nil {
				return err
			}
			_, err := s.PutRolePolicy(ctx, &PutRolePolicyInput{RoleName: new("r"), PolicyName: new("b"), PolicyDocument: large(5200)})
			return err
		}, "Maximum policy size of 10240 bytes exceeded for role r"},
		{"a user's inline policies", func() error {
			_, err := s.PutUserPolicy(ctx, &PutUserPolicyInput{UserName: new("u"), PolicyName: new("a"), PolicyDocument: large(2048)})
			return err
		}, "Maximum policy size of 2048 bytes exceeded for user u"},
		{"a managed policy", func() error {
			_, err := s.CreatePolicy(ctx, &CreatePolicyInput{PolicyName: new("big"), PolicyDocument: large(6144)})
			return err
		}, "Cannot exceed quota for PolicySize: 6144"},
		{"versions of a policy", func() error {
			arn := createPolicy(t, s, "p")
			for range 5 {
				if _, err := s.CreatePolicyVersion(ctx, &CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: large(1)}); err != nil {
					return err
				}
			}
			return nil
		}, "A managed policy can have up to 5 versions."},
		{"attached policies", func() error {
			for i := range 11 {
				if _, err := s.AttachRolePolicy(ctx, &AttachRolePolicyInput{RoleName: new("r"), PolicyArn: new(createPolicy(t, s, fmt.Sprint("q", i)))}); err != nil {
					return err
				}
			}
			return nil
		}, "Cannot exceed quota for PoliciesPerRole: 10"},
		{"groups of a user", func() error {
			for i := range 11 {
				name := fmt.Sprint("g", i)
				if _, err := s.CreateGroup(ctx, &CreateGroupInput{GroupName: &name}); err != nil {
					return err
				}
				if _, err := s.AddUserToGroup(ctx, &AddUserToGroupInput{GroupName: &name, UserName: new("u")}); err != nil {
					return err
				}
			}
			return nil
		}, "Cannot exceed quota for GroupsPerUser: 10"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantError(t, tt.call(), "LimitExceededException", tt.message) })
	}
	if names := must[*ListRolePoliciesOutput](t)(s.ListRolePolicies(ctx, &ListRolePoliciesInput{RoleName: new("r")})).PolicyNames; !slices.Equal(names, []string{"a"}) {
		t.Errorf("inline policies %v after one was refused, want only a", names)
	}
}

func TestTags(t *testing.T) {
	tag := func(k, v string) Tag { return Tag{Key: &k, Value: &v} }
	fifty := func() (all []Tag) {
		for i := range 50 {
			all = append(all, tag(fmt.Sprint("k", i), "v"))
		}
		return all
	}
	for _, tt := range []struct {
		name      string
		kind      kind
		have, set []Tag
		want      string // keys and values, or the beginning of an error
	}{
		{"in the order of the keys", kindRole, nil, []Tag{tag("b", "1"), tag("a", "2")}, "a=2 b=1 "},
		{"a role's key in another case replaces", kindRole, []Tag{tag("Team", "1")}, []Tag{tag("team", "2")}, "team=2 "},
		{"a user's key in another case replaces", kindUser, []Tag{tag("Team", "1")}, []Tag{tag("team", "2")}, "team=2 "},
		{"a policy's key in another case is another", kindPolicy, []Tag{tag("Team", "1")}, []Tag{tag("team", "2")}, "Team=1 team=2 "},
		{"a key twice", kindRole, nil, []Tag{tag("a", "1"), tag("A", "2")}, msgDuplicateTags},
		{"a reserved key", kindPolicy, nil, []Tag{tag("AWS:x", "1")}, "Tag keys with the prefix aws: are reserved"},
		{"too many", kindRole, fifty(), []Tag{tag("one", "more")}, msgTooManyTags},
	} {
		t.Run(tt.name, func(t *testing.T) {
			merged, err := mergeTags(tt.have, tt.set, tt.kind)
			var got string
			var e *wire.Error
			if errors.As(err, &e) {
				got = e.Message
			}
			for _, m := range merged {
				got += *m.Key + "=" + *m.Value + " "
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBoundaries(t *testing.T) {
	s, _, _ := open(t)
	ctx, arn := t.Context(), createPolicy(t, s, "p")
	_, err := s.CreateRole(ctx, &CreateRoleInput{RoleName: new("r"), AssumeRolePolicyDocument: new(goodTrust), PermissionsBoundary: new(arn + "x")})
	wantError(t, err, "NoSuchEntityException", "Policy "+arn+"x does not exist or is not attachable.")
	must[*CreateRoleOutput](t)(s.CreateRole(ctx, &CreateRoleInput{RoleName: new("r"), AssumeRolePolicyDocument: new(goodTrust), PermissionsBoundary: &arn}))
	if b := must[*GetRoleOutput](t)(s.GetRole(ctx, &GetRoleInput{RoleName: new("r")})).Role.PermissionsBoundary; b == nil || *b.PermissionsBoundaryArn != arn {
		t.Errorf("boundary %v", b)
	}
	if all := must[*ListRolesOutput](t)(s.ListRoles(ctx, &ListRolesInput{})).Roles; all[0].PermissionsBoundary != nil {
		t.Error("ListRoles shows the boundary") // recorded answer
	}
	if p := must[*GetPolicyOutput](t)(s.GetPolicy(ctx, &GetPolicyInput{PolicyArn: &arn})).Policy; *p.AttachmentCount != 0 || *p.PermissionsBoundaryUsageCount != 1 {
		t.Errorf("attached %d times, %d times a boundary", *p.AttachmentCount, *p.PermissionsBoundaryUsageCount)
	}
	for filter, want := range map[string]int{PolicyUsageTypePermissionsBoundary: 1, PolicyUsageTypePermissionsPolicy: 0} {
		if out := must[*ListEntitiesForPolicyOutput](t)(s.ListEntitiesForPolicy(ctx, &ListEntitiesForPolicyInput{PolicyArn: &arn, PolicyUsageFilter: &filter})); len(out.PolicyRoles) != want {
			t.Errorf("%s: %d roles, want %d", filter, len(out.PolicyRoles), want)
		}
	}
	_, err = s.DeletePolicy(ctx, &DeletePolicyInput{PolicyArn: &arn})
	wantError(t, err, "DeleteConflictException", msgPolicyInUse)
	must[*DeleteRolePermissionsBoundaryOutput](t)(s.DeleteRolePermissionsBoundary(ctx, &DeleteRolePermissionsBoundaryInput{RoleName: new("r")}))
	_, err = s.DeleteRolePermissionsBoundary(ctx, &DeleteRolePermissionsBoundaryInput{RoleName: new("r")})
	wantError(t, err, "NoSuchEntityException", "")
	must[*DeletePolicyOutput](t)(s.DeletePolicy(ctx, &DeletePolicyInput{PolicyArn: &arn}))
}

func TestAccountsDoNotMeetAndRegionsAreOne(t *testing.T) {
	s, _, _ := open(t)
	createRole(t, s, "r")
	elsewhere := wire.WithRequest(t.Context(), &wire.Request{Account: wire.DefaultAccount, Region: "eu-west-1"})
	must[*GetRoleOutput](t)(s.GetRole(elsewhere, &GetRoleInput{RoleName: new("r")}))
	other := wire.WithRequest(t.Context(), &wire.Request{Account: "111111111111", Region: wire.DefaultRegion})
	_, err := s.GetRole(other, &GetRoleInput{RoleName: new("r")})
	wantError(t, err, "NoSuchEntityException", "The role with name r cannot be found.")
	out := must[*CreateRoleOutput](t)(s.CreateRole(other, &CreateRoleInput{RoleName: new("r"), AssumeRolePolicyDocument: new(goodTrust)}))
	if *out.Role.Arn != "arn:aws:iam::111111111111:role/r" {
		t.Errorf("ARN %s", *out.Role.Arn)
	}
	must[*CreateAccountAliasOutput](t)(s.CreateAccountAlias(other, &CreateAccountAliasInput{AccountAlias: new("ours")}))
	_, err = s.CreateAccountAlias(t.Context(), &CreateAccountAliasInput{AccountAlias: new("ours")})
	wantError(t, err, "EntityAlreadyExistsException", "The account alias ours already exists.")
	must[*CreateAccountAliasOutput](t)(s.CreateAccountAlias(other, &CreateAccountAliasInput{AccountAlias: new("new")}))
	must[*CreateAccountAliasOutput](t)(s.CreateAccountAlias(t.Context(), &CreateAccountAliasInput{AccountAlias: new("ours")}))
}

// identityOf is an STS that knows one caller.
type identityOf string

func (arn identityOf) Call(_ context.Context, service, operation string, _, out any) error {
	if service+"."+operation != "sts.GetCallerIdentity" {
		return fmt.Errorf("no call of %s.%s is expected", service, operation)
	}
	return json.Unmarshal([]byte(`{"Arn":"`+string(arn)+`"}`), out)
}

func TestTheCallerBehindTemporaryCredentials(t *testing.T) {
	s, _, _ := open(t)
	createUser(t, s, "ann")
	ctx := wire.WithRequest(t.Context(), &wire.Request{Account: wire.DefaultAccount, AccessKey: "ASIAQAAAAAAAAAAAAAAA"})
	for _, tt := range []struct{ name, caller, want string }{
		{"a user", "arn:aws:iam::000000000000:user/ann", "arn:aws:iam::000000000000:user/ann"},
		{"the root", "arn:aws:iam::000000000000:root", "arn:aws:iam::000000000000:root"},
		{"a role's session", "arn:aws:sts::000000000000:assumed-role/r/s", msgNoCaller},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.AWS = identityOf(tt.caller)
			out, err := s.GetUser(ctx, &GetUserInput{})
			if tt.want == msgNoCaller {
				wantError(t, err, "ValidationError", msgNoCaller)
			} else if err != nil || *out.User.Arn != tt.want {
				t.Errorf("got %v %v, want %s", out, err, tt.want)
			}
		})
	}
}

func TestRenamedUsersAndGroupsKeepWhatIsTheirs(t *testing.T) {
	s, _, _ := open(t)
	ctx := t.Context()
	createUser(t, s, "ann")
	createUser(t, s, "bob")
	must[*CreateGroupOutput](t)(s.CreateGroup(ctx, &CreateGroupInput{GroupName: new("g")}))
	must[*AddUserToGroupOutput](t)(s.AddUserToGroup(ctx, &AddUserToGroupInput{GroupName: new("g"), UserName: new("ann")}))
	key := must[*CreateAccessKeyOutput](t)(s.CreateAccessKey(ctx, &CreateAccessKeyInput{UserName: new("ann")})).AccessKey
	_, err := s.UpdateUser(ctx, &UpdateUserInput{UserName: new("ann"), NewUserName: new("Bob")})
	wantError(t, err, "EntityAlreadyExistsException", "User with name Bob already exists.")
	must[*UpdateUserOutput](t)(s.UpdateUser(ctx, &UpdateUserInput{UserName: new("ann"), NewUserName: new("anna"), NewPath: new("/x/")}))
	must[*UpdateGroupOutput](t)(s.UpdateGroup(ctx, &UpdateGroupInput{GroupName: new("g"), NewGroupName: new("h")}))
	if used := must[*GetAccessKeyLastUsedOutput](t)(s.GetAccessKeyLastUsed(ctx, &GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})); *used.UserName != "anna" {
		t.Errorf("the key is %s's", *used.UserName)
	}
	if g := must[*GetGroupOutput](t)(s.GetGroup(ctx, &GetGroupInput{GroupName: new("h")})); len(g.Users) != 1 || *g.Users[0].Arn != "arn:aws:iam::000000000000:user/x/anna" {
		t.Errorf("users of the group: %v", g.Users)
	}
}

func TestOneOfManyWhoCreateTheSameRoleWins(t *testing.T) {
	s, _, _ := open(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.CreateRole(t.Context(), &CreateRoleInput{RoleName: new("r"), AssumeRolePolicyDocument: new(goodTrust)})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantError(t, err, "EntityAlreadyExistsException", "Role with name r already exists.")
	}
	if won != 1 {
		t.Errorf("%d created it", won)
	}
}
