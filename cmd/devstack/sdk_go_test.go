package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
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
	return c
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

// goTable makes a table keyed by id that is there until the test ends.
func goTable(t *testing.T, name string, stream bool) (*dynamodb.Client, *types.TableDescription) {
	t.Helper()
	c := dynamodb.NewFromConfig(goConfig(t))
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	made, err := c.CreateTable(t.Context(), in)
	must(t, made, err)
	t.Cleanup(func() {
		if _, err := c.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	out, err := dynamodb.NewTableExistsWaiter(c).WaitForOutput(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute)
	return c, must(t, out, err).Table
}

// goPut puts items with these ids and attributes.
func goPut(t *testing.T, c *dynamodb.Client, table string, items ...goItem) {
	t.Helper()
	for _, item := range items {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
		must(t, 0, err)
	}
}

func goTables(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t))
	var names []string
	for p := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{Limit: aws.Int32(1)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		names = append(names, must(t, out, err).TableNames...)
	}
	same(t, "orders and totals", slices.Contains(names, "orders") && slices.Contains(names, "totals"), true)
	out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	orders := must(t, out, err).Table
	same(t, "ARN", *orders.TableArn, "arn:aws:dynamodb:us-east-1:"+goAccount+":table/orders")
	same(t, "status of the index", orders.GlobalSecondaryIndexes[0].IndexStatus, types.IndexStatusActive)
}

func goKinds(t *testing.T) {
	c, _ := goTable(t, "go-kinds", false)
	item := goItem{
		"id": &goS{Value: "1"}, "number": &goN{Value: "-12345678901234567890.123456789"}, "bytes": &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "none": &types.AttributeValueMemberNULL{Value: true},
		"list":    &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "a"}, &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}},
		"map":     &types.AttributeValueMemberM{Value: goItem{"köln": &goS{Value: "ümlaut 🎈"}}},
		"strings": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "binaries": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
	}
	goPut(t, c, "go-kinds", item)
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("go-kinds"), Key: goItem{"id": item["id"]}, ConsistentRead: aws.Bool(true)})
	same(t, "item", must(t, got, err).Item, item)
}

func goCondition(t *testing.T) {
	c, _ := goTable(t, "go-condition", false)
	first := goItem{"id": &goS{Value: "1"}, "n": &goN{Value: "1"}}
	goPut(t, c, "go-condition", first)
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("go-condition"), Item: goItem{"id": first["id"]}, ConditionExpression: aws.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	fails(t, err, "ConditionalCheckFailedException", 400, "The conditional request failed")
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		same(t, "the item that is there", failed.Item, first)
	}
}

func goUpdate(t *testing.T) {
	c, _ := goTable(t, "go-update", false)
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String("go-update"), Key: goItem{"id": &goS{Value: "1"}}, ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:         aws.String("SET #l = list_append(if_not_exists(#l, :none), :new) ADD n :one"),
		ExpressionAttributeNames: map[string]string{"#l": "list"},
		ExpressionAttributeValues: goItem{
			":none": &types.AttributeValueMemberL{}, ":one": &goN{Value: "1"}, ":new": &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "x"}}},
		},
	}
	_, err := c.UpdateItem(t.Context(), in)
	must(t, 0, err)
	out, err := c.UpdateItem(t.Context(), in)
	got := must(t, out, err).Attributes
	same(t, "count", got["n"], &goN{Value: "2"})
	same(t, "list", got["list"], &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "x"}, &goS{Value: "x"}}})
	in.UpdateExpression = aws.String("SET id = :one ADD n :one SET #l = :none")
	_, err = c.UpdateItem(t.Context(), in)
	fails(t, err, "ValidationException", 400, `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`)
}

func goBeforeExpressions(t *testing.T) {
	c, _ := goTable(t, "go-before", false)
	table, key := aws.String("go-before"), goItem{"id": &goS{Value: "1"}}
	in := &dynamodb.UpdateItemInput{
		TableName: table, Key: key, ReturnValues: types.ReturnValueAllNew,
		AttributeUpdates: map[string]types.AttributeValueUpdate{"n": {Action: types.AttributeActionAdd, Value: &goN{Value: "1"}}},
		Expected: map[string]types.ExpectedAttributeValue{
			"n": {ComparisonOperator: types.ComparisonOperatorLt, AttributeValueList: []types.AttributeValue{&goN{Value: "2"}}},
			"m": {Exists: aws.Bool(false)},
		},
		ConditionalOperator: types.ConditionalOperatorOr,
	}
	out, err := c.UpdateItem(t.Context(), in)
	same(t, "made", must(t, out, err).Attributes["n"], &goN{Value: "1"})
	in.ConditionalOperator = types.ConditionalOperatorAnd
	out, err = c.UpdateItem(t.Context(), in)
	same(t, "counted", must(t, out, err).Attributes["n"], &goN{Value: "2"})
	_, err = c.UpdateItem(t.Context(), in)
	fails(t, err, "ConditionalCheckFailedException", 400, "The conditional request failed")
	is := map[string]types.Condition{"id": {ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []types.AttributeValue{&goS{Value: "1"}}}}
	found, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditions: is, AttributesToGet: []string{"n"}})
	same(t, "found", must(t, found, err).Items, []map[string]types.AttributeValue{{"n": &goN{Value: "2"}}})
	_, err = c.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditions: is, QueryFilter: is})
	fails(t, err, "ValidationException", 400, "QueryFilter can only contain non-primary key attributes: Primary key attribute: id")
}

func goQuery(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t))
	for i := range 20 {
		goPut(t, c, "orders", goItem{"customer": &goS{Value: "go"}, "id": &goS{Value: fmt.Sprintf("%02d", i)}, "lines": &types.AttributeValueMemberL{}})
	}
	var counts []int32
	var ids []string
	p := dynamodb.NewQueryPaginator(c, &dynamodb.QueryInput{
		TableName: aws.String("orders"), KeyConditionExpression: aws.String("customer = :c AND begins_with(id, :one)"), Limit: aws.Int32(4),
		ExpressionAttributeValues: goItem{":c": &goS{Value: "go"}, ":one": &goS{Value: "1"}}, ScanIndexForward: aws.Bool(false), ProjectionExpression: aws.String("id"),
	})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		counts = append(counts, must(t, out, err).Count)
		for _, item := range out.Items {
			ids = append(ids, item["id"].(*goS).Value)
		}
	}
	same(t, "counts", counts, []int32{4, 4, 2})
	same(t, "ids", strings.Join(ids, " "), "19 18 17 16 15 14 13 12 11 10")
}

func goScan(t *testing.T) {
	c, _ := goTable(t, "go-scan", false)
	var want, got []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("%02d", i))
		goPut(t, c, "go-scan", goItem{"id": &goS{Value: want[i]}})
	}
	for segment := range int32(3) {
		p := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: aws.String("go-scan"), Segment: &segment, TotalSegments: aws.Int32(3), Limit: aws.Int32(7)})
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			for _, item := range must(t, out, err).Items {
				got = append(got, item["id"].(*goS).Value)
			}
		}
	}
	slices.Sort(got)
	same(t, "ids", got, want)
}

func goTransaction(t *testing.T) {
	c, _ := goTable(t, "go-transaction", false)
	goPut(t, c, "go-transaction", goItem{"id": &goS{Value: "taken"}})
	put := func(id string) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("go-transaction"), Item: goItem{"id": &goS{Value: id}}, ConditionExpression: aws.String("attribute_not_exists(id)")}}
	}
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("new"), put("taken")}})
	fails(t, err, "TransactionCanceledException", 400, "cancellation reasons for specific reasons [None, ConditionalCheckFailed]")
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		same(t, "reason", *cancelled.CancellationReasons[1].Code, "ConditionalCheckFailed")
	}
	left, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("go-transaction")})
	same(t, "items", must(t, left, err).Count, int32(1))
}

func goTableErrors(t *testing.T) {
	c, table := goTable(t, "go-twice", false)
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table.TableName, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: table.AttributeDefinitions, KeySchema: table.KeySchema,
	})
	fails(t, err, "ResourceInUseException", 400, "Table already exists: go-twice")
	_, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("go-none")})
	fails(t, err, "ResourceNotFoundException", 400, "Requested resource not found: Table: go-none not found")
	_, err = c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table.TableName, Key: goItem{"no": &goS{Value: "1"}}})
	fails(t, err, "ValidationException", 400, "The provided key element does not match the schema")
}

func goStream(t *testing.T) {
	c, table := goTable(t, "go-stream", true)
	key := goItem{"id": &goS{Value: "1"}}
	goPut(t, c, "go-stream", goItem{"id": key["id"], "n": &goN{Value: "1"}}, goItem{"id": key["id"], "n": &goN{Value: "2"}})
	_, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table.TableName, Key: key})
	must(t, 0, err)
	streams := dynamodbstreams.NewFromConfig(goConfig(t))
	out, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	var changes []streamtypes.OperationType
	for _, shard := range must(t, out, err).StreamDescription.Shards {
		at, err := streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: table.LatestStreamArn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		must(t, at, err)
		records, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: at.ShardIterator})
		for _, r := range must(t, records, err).Records {
			changes = append(changes, r.EventName)
		}
	}
	same(t, "changes", changes, []streamtypes.OperationType{"INSERT", "MODIFY", "REMOVE"})
}

func goReplica(t *testing.T) {
	here, table := goTable(t, "go-global", false)
	there := dynamodb.NewFromConfig(goConfig(t), func(o *dynamodb.Options) { o.Region = "eu-west-1" })
	goPut(t, here, "go-global", goItem{"id": &goS{Value: "before"}})
	made, err := here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table.TableName, ReplicaUpdates: []types.ReplicationGroupUpdate{
		{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String("eu-west-1")}},
	}})
	must(t, made, err)
	must(t, 0, dynamodb.NewTableExistsWaiter(here).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName}, time.Minute))
	goPut(t, there, "go-global", goItem{"id": &goS{Value: "there"}})
	for _, c := range []*dynamodb.Client{here, there} {
		out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: table.TableName})
		same(t, "items", must(t, out, err).Count, int32(2))
	}
	out, err := there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	same(t, "the replica of the replica", *must(t, out, err).Table.Replicas[0].RegionName, "us-east-1")
	_, err = here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table.TableName, ReplicaUpdates: []types.ReplicationGroupUpdate{
		{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: aws.String("eu-west-1")}},
	}})
	must(t, 0, err)
	_, err = there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	fails(t, err, "ResourceNotFoundException", 400, "Requested resource not found: Table: go-global not found")
}

func goBatch(t *testing.T) {
	c, _ := goTable(t, "go-batch", false)
	one := goItem{"id": &goS{Value: "1"}}
	wrote, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"go-batch": {{PutRequest: &types.PutRequest{Item: one}}}}})
	same(t, "unprocessed items", len(must(t, wrote, err).UnprocessedItems), 0)
	keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{one, {"id": &goS{Value: "2"}}}}
	got, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"go-batch": keys}})
	same(t, "items", must(t, got, err).Responses["go-batch"], []map[string]types.AttributeValue{one})
	keys.Keys = append(keys.Keys, one)
	_, err = c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"go-batch": keys}})
	fails(t, err, "ValidationException", 400, "Provided list of item keys contains duplicates")
}

func goBackup(t *testing.T) {
	c, table := goTable(t, "go-backup", false)
	on := &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}
	_, err := c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: table.TableName, PointInTimeRecoverySpecification: on})
	must(t, 0, err)
	goPut(t, c, "go-backup", goItem{"id": &goS{Value: "1"}})
	made, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: table.TableName, BackupName: aws.String("safe")})
	arn := must(t, made, err).BackupDetails.BackupArn
	listed, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{TableName: table.TableName})
	same(t, "backups", *must(t, listed, err).BackupSummaries[0].BackupArn, *arn)
	goPut(t, c, "go-backup", goItem{"id": &goS{Value: "2"}})

	_, err = c.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{TargetTableName: aws.String("go-restored"), BackupArn: arn})
	goRestored(t, c, "go-restored", 1, err)
	_, err = c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		TargetTableName: aws.String("go-latest"), SourceTableName: table.TableName, UseLatestRestorableTime: aws.Bool(true),
	})
	goRestored(t, c, "go-latest", 2, err)
	_, err = c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		TargetTableName: aws.String("go-early"), SourceTableName: table.TableName, RestoreDateTime: aws.Time(time.Unix(1, 0)),
	})
	fails(t, err, "InvalidRestoreTimeException", 400, "RestoreDateTime '1970-01-01T00:00:01Z' must be within EarliestRestorableDateTime")

	_, err = c.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: arn})
	must(t, 0, err)
	_, err = c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn})
	fails(t, err, "BackupNotFoundException", 400, "Backup not found: "+*arn)
}

// goRestored counts the items of a restored table and deletes it.
func goRestored(t *testing.T, c *dynamodb.Client, name string, count int32, err error) {
	t.Helper()
	must(t, 0, err)
	must(t, 0, dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute))
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	same(t, "items of "+name, must(t, out, err).Count, count)
	_, err = c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	must(t, 0, err)
}

func goConstraint(t *testing.T) {
	_, err := dynamodb.NewFromConfig(goConfig(t)).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders"), Limit: aws.Int32(0)})
	fails(t, err, "ValidationException", 400, "Member must have value greater than or equal to 1")
}

func goNotImplemented(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t), func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
	_, err := c.EnableKinesisStreamingDestination(t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{
		TableName: aws.String("orders"), StreamArn: aws.String("arn:aws:kinesis:us-east-1:" + goAccount + ":stream/orders"),
	})
	fails(t, err, "NotImplemented", 501, "EnableKinesisStreamingDestination")
}

func goStatements(t *testing.T) {
	c, _ := goTable(t, "go-statements", false)
	insert := &dynamodb.ExecuteStatementInput{
		Statement: aws.String(`INSERT INTO "go-statements" VALUE {'id': ?, 'n': 1, 'l': [?, <<'x'>>]}`), Parameters: []types.AttributeValue{&goS{Value: "1"}, &goN{Value: "2.50"}},
	}
	_, err := c.ExecuteStatement(t.Context(), insert)
	must(t, 0, err)
	_, err = c.ExecuteStatement(t.Context(), insert)
	fails(t, err, "DuplicateItemException", 400, "Duplicate primary key exists in table")
	got, err := c.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT n, l[0] FROM "go-statements" WHERE id = '1' AND size(l) = 2`)})
	same(t, "items", must(t, got, err).Items, []map[string]types.AttributeValue{{"n": &goN{Value: "1"}, "l[0]": &goN{Value: "2.5"}}})
	batch, err := c.BatchExecuteStatement(t.Context(), &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: aws.String(`UPDATE "go-statements" SET n = n + 1 WHERE id = '1'`)}, {Statement: aws.String(`UPDATE "go-statements" SET n = 1 WHERE id = '2'`)},
	}})
	responses := must(t, batch, err).Responses
	same(t, "table", *responses[0].TableName, "go-statements")
	same(t, "error", responses[1].Error.Code, types.BatchStatementErrorCodeEnumConditionalCheckFailed)
	_, err = c.ExecuteTransaction(t.Context(), &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
		{Statement: aws.String(`DELETE FROM "go-statements" WHERE id = '1'`)}, {Statement: aws.String(`EXISTS(SELECT * FROM "go-statements" WHERE id = '2')`)},
	}})
	fails(t, err, "TransactionCanceledException", 400, "[None, ConditionalCheckFailed]")
}

// fromJSON reads what a service answered as JSON.
func fromJSON(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

var requestID = regexp.MustCompile(`RequestId: [0-9a-f-]{36}`)
