package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// goFunctions are the cases of functions that are made by the API.
var goFunctions = map[string]func(*testing.T){
	"a function of an archive is created, invoked, changed and deleted": goFunctionLife,
	"versions stay as they were, an alias leads to them":                goVersions,
	"a layer is published, attached and stays the function's":           goLayer,
	"permissions make a policy": func(t *testing.T) {
		c := lambda.NewFromConfig(goConfig(t))
		goFunction(t, c, "go-policy", "one")
		added, err := c.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: aws.String("go-policy"), StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::b"),
		})
		statement := fromJSON(t, []byte(*must(t, added, err).Statement)).(map[string]any)
		got, err := c.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("go-policy")})
		policy := fromJSON(t, []byte(*must(t, got, err).Policy)).(map[string]any)
		same(t, "statements", policy["Statement"], any([]any{statement}))
		_, err = c.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("go-policy"), StatementId: aws.String("s3"), RevisionId: got.RevisionId})
		must(t, 0, err)
		_, err = c.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("go-policy")})
		fails(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
	},
	"a version of a function of the stack is a copy": func(t *testing.T) {
		c := lambda.NewFromConfig(goConfig(t))
		v, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("charge")})
		version := must(t, v, err).Version
		out := goInvoke(t, "charge", `{"customer":"go","amount":100001}`, func(in *lambda.InvokeInput) { in.Qualifier = version })
		same(t, "version", out.ExecutedVersion, version)
		same(t, "error", fromJSON(t, out.Payload).(map[string]any)["errorType"], any("CardDeclined"))
	},
}

// goArchive is a function of runtime js that answers with a word, its version and the ARN that it was called by.
func goArchive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		must(t, 0, err)
	}
	must(t, 0, w.Close())
	return b.Bytes()
}

func goCode(word string) map[string]string {
	return map[string]string{"index.js": `exports.handler = async (e, c) => ({ word: "` + word + `", env: process.env.WORD, version: c.functionVersion, arn: c.invokedFunctionArn })`}
}

// goFunction makes a function that is there until the test ends, and waits until it is active.
func goFunction(t *testing.T, c *lambda.Client, name, word string) *lambda.CreateFunctionOutput {
	t.Helper()
	made, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: "js", Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::" + goAccount + ":role/r"),
		Code: &lambdatypes.FunctionCode{ZipFile: goArchive(t, goCode(word))}, Environment: &lambdatypes.Environment{Variables: map[string]string{"WORD": word}},
	})
	must(t, made, err)
	t.Cleanup(func() { c.DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &name}) })
	must(t, 0, lambda.NewFunctionActiveV2Waiter(c, quickly[lambda.FunctionActiveV2WaiterOptions]).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute))
	return made
}

// quickly makes a waiter ask again soon.
func quickly[O lambda.FunctionActiveV2WaiterOptions | lambda.FunctionUpdatedV2WaiterOptions | lambda.PublishedVersionActiveWaiterOptions](o *O) {
	switch o := any(o).(type) {
	case *lambda.FunctionActiveV2WaiterOptions:
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
	case *lambda.FunctionUpdatedV2WaiterOptions:
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
	case *lambda.PublishedVersionActiveWaiterOptions:
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
	}
}

// goUpdated waits for the end of an update.
func goUpdated(t *testing.T, c *lambda.Client, name string) {
	t.Helper()
	must(t, 0, lambda.NewFunctionUpdatedV2Waiter(c, quickly[lambda.FunctionUpdatedV2WaiterOptions]).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute))
}

func goAnswer(t *testing.T, function string) map[string]any {
	t.Helper()
	return fromJSON(t, goInvoke(t, function, "{}", nil).Payload).(map[string]any)
}

func goFunctionLife(t *testing.T) {
	const name = "go-made"
	c := lambda.NewFromConfig(goConfig(t))
	made := goFunction(t, c, name, "one")
	same(t, "state", made.State, lambdatypes.StatePending)
	same(t, "answer", goAnswer(t, name), map[string]any{"word": "one", "env": "one", "version": "$LATEST", "arn": *made.FunctionArn})

	archive := goArchive(t, goCode("two"))
	sum := sha256.Sum256(archive)
	changed, err := c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(name), ZipFile: archive})
	same(t, "hash", *must(t, changed, err).CodeSha256, base64.StdEncoding.EncodeToString(sum[:]))
	goUpdated(t, c, name)
	same(t, "word", goAnswer(t, name)["word"], any("two"))
	_, err = c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(name), Environment: &lambdatypes.Environment{Variables: map[string]string{"WORD": "three"}}})
	must(t, 0, err)
	goUpdated(t, c, name)
	same(t, "environment", goAnswer(t, name)["env"], any("three"))

	got, err := c.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String(name)})
	res, err := http.Get(*must(t, got, err).Code.Location)
	defer must(t, res, err).Body.Close()
	fetched, err := io.ReadAll(res.Body)
	same(t, "archive", must(t, fetched, err), archive)
	same(t, "revision of the update", *got.Configuration.RevisionId != *changed.RevisionId, true)
	_, err = c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(name), ZipFile: archive, RevisionId: made.RevisionId})
	fails(t, err, "PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id.")
	_, err = c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: aws.String(name), Runtime: "js", Handler: aws.String("index.handler"), Role: made.Role, Code: &lambdatypes.FunctionCode{ZipFile: archive}})
	fails(t, err, "ResourceConflictException", 409, "Function already exist: "+name)
	_, err = c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String(name)})
	must(t, 0, err)
	_, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name)})
	fails(t, err, "ResourceNotFoundException", 404, "Function not found: "+*made.FunctionArn)
}

func goVersions(t *testing.T) {
	const name = "go-versions"
	c := lambda.NewFromConfig(goConfig(t))
	arn := *goFunction(t, c, name, "one").FunctionArn
	for _, word := range []string{"two", "three"} {
		v, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String(name)})
		must(t, v, err)
		must(t, 0, lambda.NewPublishedVersionActiveWaiter(c, quickly[lambda.PublishedVersionActiveWaiterOptions]).Wait(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name), Qualifier: v.Version}, time.Minute))
		_, err = c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(name), ZipFile: goArchive(t, goCode(word))})
		must(t, 0, err)
		goUpdated(t, c, name)
	}
	a, err := c.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String(name), Name: aws.String("live"), FunctionVersion: aws.String("1"), RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 1}}})
	must(t, a, err)
	same(t, "versions", []any{goAnswer(t, name)["word"], goAnswer(t, name+":1")["word"], goAnswer(t, name+":2")["word"], goAnswer(t, name+":live")["word"]}, []any{"three", "one", "two", "two"})
	_, err = c.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String(name), Name: aws.String("live"), RoutingConfig: &lambdatypes.AliasRoutingConfiguration{}})
	must(t, 0, err)
	same(t, "answer", goAnswer(t, name+":live"), map[string]any{"word": "one", "env": "one", "version": "1", "arn": arn + ":live"})
	var versions []string
	for p := lambda.NewListVersionsByFunctionPaginator(c, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String(name), MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		for _, v := range must(t, out, err).Versions {
			versions = append(versions, *v.Version)
		}
	}
	same(t, "list", versions, []string{"$LATEST", "1", "2"})
	_, err = c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String(name), Qualifier: aws.String("1")})
	fails(t, err, "ResourceConflictException", 409, "Unable to delete version because the following aliases reference it: [live]")
}

func goLayer(t *testing.T) {
	const name = "go-layered"
	c := lambda.NewFromConfig(goConfig(t))
	l, err := c.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("go-layer"), Content: &lambdatypes.LayerVersionContentInput{ZipFile: goArchive(t, map[string]string{"nodejs/node_modules/word/index.js": `exports.word = "layered"`})},
	})
	must(t, l, err)
	goFunction(t, c, name, "one")
	_, err = c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(name), Layers: []string{*l.LayerVersionArn}})
	must(t, 0, err)
	goUpdated(t, c, name)
	_, err = c.DeleteLayerVersion(t.Context(), &lambda.DeleteLayerVersionInput{LayerName: aws.String("go-layer"), VersionNumber: aws.Int64(l.Version)})
	must(t, 0, err)
	got, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name)})
	layers := must(t, got, err).Layers
	same(t, "layers", len(layers) == 1 && *layers[0].Arn == *l.LayerVersionArn && layers[0].CodeSize == l.Content.CodeSize, true)
	list, err := c.ListLayerVersions(t.Context(), &lambda.ListLayerVersionsInput{LayerName: aws.String("go-layer")})
	same(t, "versions of the layer", len(must(t, list, err).LayerVersions), 0)
}
