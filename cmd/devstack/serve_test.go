package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// served is a running `devstack serve`.
type served struct {
	*exec.Cmd
	url string
}

// serveDir runs `devstack serve` in a folder until the test ends.
func serveDir(t *testing.T, dir string, more ...string) *served {
	t.Helper()
	devstack, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Cmd: exec.Command(devstack, append([]string{"-C", dir, "serve", "--port", "0"}, more...)...)}
	s.Env = append(os.Environ(), "HOME="+t.TempDir())
	s.Stderr = os.Stderr
	out, err := s.StdoutPipe()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill(); s.Wait() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "AWS on ")
	if err != nil || !ok {
		t.Fatalf("it says %q (%v)", line, err)
	}
	s.url = url
	go lines.WriteTo(new(bytes.Buffer))
	return s
}

// lambda is a client of an account in a region.
func (s *served) lambda(t *testing.T, account, region string) *lambda.Client {
	t.Helper()
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(s.url),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(account, "devstack", "")))
	return lambda.NewFromConfig(must(t, c, err))
}

// word creates a function and waits until it answers.
func (s *served) word(t *testing.T, c *lambda.Client, word string) {
	t.Helper()
	_, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("made"), Runtime: "js", Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::000000000000:role/r"),
		Code: &lambdatypes.FunctionCode{ZipFile: goArchive(t, goCode(word))}, Publish: true,
	})
	must(t, 0, err)
	must(t, 0, lambda.NewFunctionActiveV2Waiter(c, quickly[lambda.FunctionActiveV2WaiterOptions]).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("made")}, time.Minute))
}

// says is what a function of goCode answers.
func says(t *testing.T, c *lambda.Client, name string) any {
	t.Helper()
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
	return fromJSON(t, must(t, out, err).Payload).(map[string]any)["word"]
}

func TestServeRunsFunctionsThatOutliveIt(t *testing.T) {
	dir := t.TempDir()
	s := serveDir(t, dir)
	s.word(t, s.lambda(t, "000000000000", "us-east-1"), "here")
	s.word(t, s.lambda(t, "000000000000", "eu-west-1"), "there")
	s.word(t, s.lambda(t, "111111111111", "us-east-1"), "theirs")
	s.Process.Kill() // as a crash would
	s.Wait()

	s = serveDir(t, dir)
	for _, tt := range []struct{ account, region, want string }{
		{"000000000000", "us-east-1", "here"}, {"000000000000", "eu-west-1", "there"}, {"111111111111", "us-east-1", "theirs"},
	} {
		c := s.lambda(t, tt.account, tt.region)
		same(t, tt.account+" in "+tt.region, []any{says(t, c, "made"), says(t, c, "made:1")}, []any{tt.want, tt.want})
	}
}

func TestServeLeavesNothingBehindIfItIsToldSo(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	s := serveDir(t, dir, "--ephemeral")
	c := s.lambda(t, "000000000000", "us-east-1")
	if res, err := http.Get(s.url + "/_localstack/health"); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "devstack-*")); len(left) > 0 {
		t.Errorf("before the first function there are %v", left)
	}
	s.word(t, c, "passing")
	same(t, "answer", says(t, c, "made"), any("passing"))
	must(t, 0, s.Process.Signal(os.Interrupt))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case <-ended:
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
	for _, place := range []string{dir, temp} {
		if left, _ := filepath.Glob(filepath.Join(place, "*")); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
	}
}
