package iam_test

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"devstack/emulators/iam"
	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

const (
	sdkTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	basicRole = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

// dial serves the emulator on a real socket and returns the official client.
func dial(t *testing.T) *sdk.Client {
	st := store.New(filepath.Join(t.TempDir(), "iam.db"), store.Options{})
	c := clock.System()
	s := iam.New(kit.Env{Store: st, Clock: c, IDs: kit.RandomIDs(), Log: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(wire.NewServer(wire.Config{Services: []*wire.Service{s}, NewID: kit.RandomIDs().UUID, Now: c.Now}))
	t.Cleanup(func() {
		server.Close()
		st.Close()
	})
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// TestSDKRoles is what a deployment of a function does: it makes a role, waits for it, attaches, lists, and takes all down.
func TestSDKRoles(t *testing.T) {
	client, ctx := dial(t), t.Context()
	role, name := &sdk.GetRoleInput{RoleName: aws.String("worker")}, aws.String("worker")
	var missing *types.NoSuchEntityException
	if _, err := client.GetRole(ctx, role); !errors.As(err, &missing) {
		t.Fatalf("GetRole before there is one: %v", err)
	}
	if _, err := client.CreateRole(ctx, &sdk.CreateRoleInput{
		RoleName: name, AssumeRolePolicyDocument: aws.String(sdkTrust), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := sdk.NewRoleExistsWaiter(client).Wait(ctx, role, time.Minute); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetRole(ctx, role)
	if err != nil {
		t.Fatal(err)
	}
	if document, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument); err != nil || document != sdkTrust || *got.Role.Tags[0].Value != "b" {
		t.Errorf("document %s (%v), tags %v", document, err, got.Role.Tags)
	}
	if _, err := client.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(basicRole)}); err != nil {
		t.Fatal(err)
	}
	attached, err := client.ListAttachedRolePolicies(ctx, &sdk.ListAttachedRolePoliciesInput{RoleName: name})
	if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "AWSLambdaBasicExecutionRole" {
		t.Fatalf("attached: %v %v", attached, err)
	}
	var conflict *types.DeleteConflictException
	if _, err := client.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: name}); !errors.As(err, &conflict) {
		t.Errorf("DeleteRole with a policy: %v", err)
	}
	if _, err := client.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{RoleName: name, PolicyArn: aws.String(basicRole)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: name}); err != nil {
		t.Fatal(err)
	}
	var malformed *types.MalformedPolicyDocumentException
	if _, err := client.CreateRole(ctx, &sdk.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17"}`)}); !errors.As(err, &malformed) {
		t.Errorf("a trust policy without statements: %v", err)
	}
}

func TestSDKPoliciesPage(t *testing.T) {
	client, ctx := dial(t), t.Context()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := client.CreatePolicy(ctx, &sdk.CreatePolicyInput{
			PolicyName: &name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
		}); err != nil {
			t.Fatal(err)
		}
	}
	var names string
	pages := sdk.NewListPoliciesPaginator(client, &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Policies {
			names += *p.PolicyName
		}
		names += "|"
	}
	if names != "ab|c|" {
		t.Errorf("pages %s", names)
	}
	all, err := client.ListPolicies(ctx, &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, PathPrefix: aws.String("/service-role/"), MaxItems: aws.Int32(1000)})
	if err != nil || len(all.Policies) == 0 || all.IsTruncated {
		t.Errorf("AWS's own: %v %v", all, err)
	}
}
