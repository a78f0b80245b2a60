package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// goSuite is the SDK for Go against the shop: cases by service. TestSDKs runs it with the environment of `devstack exec`.
var goSuite = map[string]map[string]func(*testing.T){
	"sts": {
		"the caller is the stack's account":                goCaller,
		"an assumed role's credentials are that role":      goAssumedRole,
		"a session of a minute is too short":               goShortSession,
		"an access key of a user says whose key it is":     goUserKey,
		"a role that is named by no ARN cannot be assumed": goBadRole,
	},
	"iam": {
		"a role is there for its waiter and keeps its trust policy":    goRole,
		"a role is made once, and not found when it is not there":      goRoleErrors,
		"policies hold a role until they are detached":                 goAttachedPolicy,
		"roles are listed page by page":                                goRolePages,
		"a customer's policy keeps its versions, of which one is used": goPolicyVersions,
	},
	"dynamodb": {
		"the stack's tables are listed and described":                   goTables,
		"an item comes back with every kind of value":                   goKinds,
		"a condition that does not hold changes nothing":                goCondition,
		"an update counts, appends and returns what it made":            goUpdate,
		"what came before expressions still works":                      goBeforeExpressions,
		"a query follows its pages backwards":                           goQuery,
		"a scan in segments sees every item once":                       goScan,
		"a transaction is cancelled as a whole, with its reasons":       goTransaction,
		"a table that is there twice or not at all is refused":          goTableErrors,
		"a stream tells of every change in order":                       goStream,
		"batches write and read":                                        goBatch,
		"a replica in another region has every write":                   goReplica,
		"a table comes back from its backup, and as it was before":      goBackup,
		"what the model forbids is refused by the service in its words": goConstraint,
		"what is not emulated is refused by name and not faked":         goNotImplemented,
		"PartiQL writes, reads and names what is wrong":                 goStatements,
		"a counter loses no write among many clients":                   goCounter,
		"a transaction asked for again is done once":                    goOnce,
		"a cancelled transaction tells a reason for each of its items":  goReasons,
		"an item has 400 KB and no more":                                goLarge,
		"an index is added to what is there":                            goIndex,
	},
	"lambda":        goLambda,
	"lambda calls":  goCalls,
	"functions":     goFunctions,
	"apigateway":    goGateway,
	"stepfunctions": goMachines,
	"elasticache":   goCaches,
	"logs":          goLogs,
}

const goAccount = "000000000000"

// goConfig is what the SDK makes of the environment.
func goConfig(t *testing.T) aws.Config {
	t.Helper()
	c, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.HTTPClient = &http.Client{Transport: wroteFirst{http.DefaultTransport}}
	return c
}

// wroteFirst gives an answer to the SDK once its request has been written. smithy-go closes a request's body when the answer begins; if the
// goroutine of net/http that writes has not had its last turn by then, as happens on a busy machine when the server is this near, it is
// told EOF by the body's WriteTo, takes that for a failure, and closes the connection under the answer.
type wroteFirst struct{ http.RoundTripper }

func (w wroteFirst) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan struct{})
	tell := sync.OnceFunc(func() { close(done) })
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { tell() }}))
	res, err := w.RoundTripper.RoundTrip(r)
	if err == nil {
		<-done
	}
	return res, err
}

// must ends a test with an error.
func must[T any](t *testing.T, out T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares what came with what was wanted.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// fails expects an error of AWS with this code, HTTP status, and text in its message.
func fails(t *testing.T, err error, code string, status int, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("%v is not the error %s", err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("%s: %s; want %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() != status {
		t.Errorf("%s has the HTTP status %d, want %d", code, response.HTTPStatusCode(), status)
	}
}

func goCaller(t *testing.T) {
	who, err := sts.NewFromConfig(goConfig(t)).GetCallerIdentity(t.Context(), nil)
	must(t, who, err)
	same(t, "account", *who.Account, goAccount)
	same(t, "ARN", *who.Arn, "arn:aws:iam::"+goAccount+":root")
}

func goAssumedRole(t *testing.T) {
	c := goConfig(t)
	role := "arn:aws:iam::" + goAccount + ":role/go-deployer"
	out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("go")})
	k := must(t, out, err).Credentials
	c.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken)
	who, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
	same(t, "ARN", *must(t, who, err).Arn, "arn:aws:sts::"+goAccount+":assumed-role/go-deployer/go")
}

func goShortSession(t *testing.T) {
	_, err := sts.NewFromConfig(goConfig(t)).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(60)})
	fails(t, err, "ValidationError", 400, "Member must have value greater than or equal to 900")
}

func goUserKey(t *testing.T) {
	c := goConfig(t)
	users, name := iam.NewFromConfig(c), aws.String("go-user")
	user, err := users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name, Path: aws.String("/people/")})
	must(t, user, err)
	made, err := users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	k := must(t, made, err).AccessKey
	c.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "")
	who, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
	same(t, "ARN", *must(t, who, err).Arn, "arn:aws:iam::"+goAccount+":user/people/go-user")
	_, err = users.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: name})
	fails(t, err, "DeleteConflict", 409, "must delete access keys first")
	_, err = users.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: k.AccessKeyId})
	must(t, 0, err)
	_, err = users.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: name})
	must(t, 0, err)
}

func goBadRole(t *testing.T) {
	_, err := sts.NewFromConfig(goConfig(t)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("go-deployer-without-arn"), RoleSessionName: aws.String("go")})
	fails(t, err, "ValidationError", 400, "go-deployer-without-arn is invalid")
}

const goTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// goMakeRole makes a role that is there until the test ends.
func goMakeRole(t *testing.T, name, path string) (*iam.Client, *iam.CreateRoleOutput) {
	t.Helper()
	c := iam.NewFromConfig(goConfig(t))
	made, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(goTrust)})
	must(t, made, err)
	t.Cleanup(func() {
		if _, err := c.DeleteRole(context.WithoutCancel(t.Context()), &iam.DeleteRoleInput{RoleName: &name}); err != nil {
			t.Error(err)
		}
	})
	return c, made
}

func goRole(t *testing.T) {
	c, made := goMakeRole(t, "go-role", "/jobs/")
	same(t, "ARN", *made.Role.Arn, "arn:aws:iam::"+goAccount+":role/jobs/go-role")
	if err := iam.NewRoleExistsWaiter(c).Wait(t.Context(), &iam.GetRoleInput{RoleName: aws.String("go-role")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("go-role")})
	document, err2 := url.QueryUnescape(*must(t, got, err).Role.AssumeRolePolicyDocument)
	same(t, "trust policy", document, goTrust)
	same(t, "errors", errors.Join(err, err2), nil)
}

func goRoleErrors(t *testing.T) {
	c, _ := goMakeRole(t, "go-once", "/")
	_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("go-once"), AssumeRolePolicyDocument: aws.String(goTrust)})
	fails(t, err, "EntityAlreadyExists", 409, "Role with name go-once already exists.")
	_, err = c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("go-never")})
	fails(t, err, "NoSuchEntity", 404, "The role with name go-never cannot be found.")
	_, err = c.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("go-once"), PolicyDocument: aws.String("{")})
	fails(t, err, "MalformedPolicyDocument", 400, "This policy contains invalid Json")
}

func goAttachedPolicy(t *testing.T) {
	c, _ := goMakeRole(t, "go-held", "/")
	role, policy := aws.String("go-held"), aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
	_, err := c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: policy})
	must(t, 0, err)
	attached, err := c.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: role})
	same(t, "name", *must(t, attached, err).AttachedPolicies[0].PolicyName, "AWSLambdaBasicExecutionRole")
	_, err = c.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: role})
	fails(t, err, "DeleteConflict", 409, "must detach all policies first")
	_, err = c.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: policy})
	must(t, 0, err)
}

func goRolePages(t *testing.T) {
	var c *iam.Client
	for _, name := range []string{"go-a", "go-b", "go-c"} {
		c, _ = goMakeRole(t, name, "/go-paged/")
	}
	var got [][]string
	for p := iam.NewListRolesPaginator(c, &iam.ListRolesInput{PathPrefix: aws.String("/go-paged/"), MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		var names []string
		for _, r := range must(t, out, err).Roles {
			names = append(names, *r.RoleName)
		}
		got = append(got, names)
	}
	same(t, "pages", got, [][]string{{"go-a", "go-b"}, {"go-c"}})
}

func goPolicyVersions(t *testing.T) {
	c := iam.NewFromConfig(goConfig(t))
	document := func(action string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
	}
	made, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("go-policy"), PolicyDocument: document("s3:GetObject")})
	arn := must(t, made, err).Policy.Arn
	_, err = c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document("s3:PutObject"), SetAsDefault: true})
	must(t, 0, err)
	got, err := c.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: arn})
	same(t, "default version", *must(t, got, err).Policy.DefaultVersionId, "v2")
	_, err = c.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	fails(t, err, "DeleteConflict", 409, "default version")
	_, err = c.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	must(t, 0, err)
	_, err = c.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: arn})
	must(t, 0, err)
}

type (
	goItem = map[string]types.AttributeValue
	goS    = types.AttributeValueMemberS
	goN    = types.AttributeValueMemberN
)

// fromJSON reads what a service answered as JSON.
func fromJSON(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

var requestID = regexp.MustCompile(`RequestId: [0-9a-f-]{36}`)
