package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const goStreams = `export const handler = awslambda.streamifyResponse(async (event, out) => {
  if (event.requestContext) out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { "X-Kind": "stream" } });
  out.write("one,");
  await new Promise((later) => setTimeout(later, 50));
  if (event.fail) throw new Error("on the way");
  out.write("two");
  out.end();
});`

// goCalls are the ways in which functions are called.
var goCalls = map[string]func(*testing.T){
	"a response is streamed": func(t *testing.T) {
		c := goMake(t, "go-stream", goStreams)
		text, pieces, end := goHeard(t, c, "go-stream", "{}")
		same(t, "text", text, "one,two")
		same(t, "pieces", pieces, 2)
		same(t, "error", aws.ToString(end.ErrorCode), "")
		text, _, end = goHeard(t, c, "go-stream", `{"fail":true}`)
		same(t, "text before the failure", text, "one,")
		same(t, "error", aws.ToString(end.ErrorCode), "Unhandled")
	},
	"a function has a URL that streams": func(t *testing.T) {
		c := goMake(t, "go-url", goStreams)
		made, err := c.CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{
			FunctionName: aws.String("go-url"), AuthType: lambdatypes.FunctionUrlAuthTypeNone, InvokeMode: lambdatypes.InvokeModeResponseStream,
		})
		res := goCallURL(t, *must(t, made, err).FunctionUrl)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		same(t, "answer", []any{res.StatusCode, res.Header.Get("X-Kind"), string(must(t, body, err))}, []any{201, "stream", "one,two"})
	},
	"reserved concurrency turns callers away": func(t *testing.T) {
		c := goMake(t, "go-reserved", goStreams)
		_, err := c.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("go-reserved"), ReservedConcurrentExecutions: aws.Int32(0)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("go-reserved")}, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
		fails(t, err, "TooManyRequestsException", 429, "Rate Exceeded.")
	},
	"a destination that is not there is refused": func(t *testing.T) {
		c := goMake(t, "go-first", goStreams)
		_, err := c.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
			FunctionName: aws.String("go-first"), DestinationConfig: &lambdatypes.DestinationConfig{OnSuccess: &lambdatypes.OnSuccess{Destination: aws.String("arn:aws:lambda:us-east-1:" + goAccount + ":function:go-second")}},
		})
		fails(t, err, "InvalidParameterValueException", 400, "The destination ARN arn:aws:lambda:us-east-1:"+goAccount+":function:go-second is invalid.")
	},
}

// goMake makes a function that is there until the test ends.
func goMake(t *testing.T, name, source string) *lambda.Client {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("index.mjs")
	if _, err := must(t, w, err).Write([]byte(source)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	c := lambda.NewFromConfig(goConfig(t))
	if _, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimeNodejs22x, Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::" + goAccount + ":role/" + name),
		Code: &lambdatypes.FunctionCode{ZipFile: b.Bytes()},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := c.DeleteFunction(context.WithoutCancel(t.Context()), &lambda.DeleteFunctionInput{FunctionName: &name}); err != nil {
			t.Error(err)
		}
	})
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return c
}

// goHeard is what a function streams, in how many pieces, and how it ends.
func goHeard(t *testing.T, c *lambda.Client, name, payload string) (text string, pieces int, end lambdatypes.InvokeWithResponseStreamCompleteEvent) {
	t.Helper()
	out, err := c.InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: &name, Payload: []byte(payload)})
	st := must(t, out, err).GetStream()
	defer st.Close()
	for ev := range st.Events() {
		switch ev := ev.(type) {
		case *lambdatypes.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			text += string(ev.Value.Payload)
			pieces++
		case *lambdatypes.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			end = ev.Value
		}
	}
	if err := st.Err(); err != nil {
		t.Fatal(err)
	}
	return text, pieces, end
}

// goCallURL calls a function URL. Not every resolver knows that names below localhost are this machine's.
func goCallURL(t *testing.T, address string) *http.Response {
	t.Helper()
	u, err := url.Parse(address)
	r, err2 := http.NewRequestWithContext(t.Context(), "GET", os.Getenv("AWS_ENDPOINT_URL")+must(t, u, err).Path, nil)
	must(t, r, err2).Host = u.Host
	res, err := http.DefaultClient.Do(r)
	return must(t, res, err)
}
