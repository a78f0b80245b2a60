package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/internal/clock"
)

// published makes a function g of two published versions and an alias, live, of the first.
func published(t *testing.T, s *Service) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("index.js")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("exports.handler = () => 1"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, err = s.CreateFunction(ctx, &CreateFunctionInput{
		FunctionName: new("g"), Runtime: new("nodejs22.x"), Handler: new("index.handler"), Role: new("arn:aws:iam::000000000000:role/r"),
		Code: &FunctionCode{ZipFile: b.Bytes()}, Publish: new(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "end of the creation", func() bool { return !changing(t, s) })
	if _, err := s.UpdateFunctionConfiguration(ctx, &UpdateFunctionConfigurationInput{FunctionName: new("g"), Description: new("second")}); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the change", func() bool { return !changing(t, s) })
	if _, err := s.PublishVersion(ctx, &PublishVersionInput{FunctionName: new("g")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateAlias(ctx, &CreateAliasInput{FunctionName: new("g"), Name: new("live"), FunctionVersion: new("1")}); err != nil {
		t.Fatal(err)
	}
}

func openProvisioning(t *testing.T, dir string, f *provisioning) *Service {
	t.Helper()
	st := store.New(filepath.Join(dir, "lambda.db"), store.Options{})
	_, s := New(context.Background(), kit.Env{Store: st, Clock: clock.Fixed(epoch), Log: slog.New(slog.DiscardHandler), IDs: kit.RandomIDs()}, Options{Functions: f, Dir: filepath.Join(dir, "lambda")})
	t.Cleanup(func() { s.Close(); st.Close() })
	return s
}

func TestProvisionedConcurrency(t *testing.T) {
	dir, f := t.TempDir(), &provisioning{}
	s := openProvisioning(t, dir, f)
	published(t, s)
	ctx := t.Context()
	provide := func(qualifier string, n int32) string {
		out, err := s.PutProvisionedConcurrencyConfig(ctx, &PutProvisionedConcurrencyConfigInput{FunctionName: new("g"), Qualifier: &qualifier, ProvisionedConcurrentExecutions: &n})
		if err != nil {
			return err.Error()
		}
		return *out.Status
	}
	status := func(qualifier string) string {
		out, err := s.GetProvisionedConcurrencyConfig(ctx, &GetProvisionedConcurrencyConfigInput{FunctionName: new("g"), Qualifier: &qualifier})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(*out.Status, " ", *out.RequestedProvisionedConcurrentExecutions, *out.AllocatedProvisionedConcurrentExecutions, *out.AvailableProvisionedConcurrentExecutions, " ", deref(out.StatusReason))
	}
	asked := func(want string) {
		t.Helper()
		until(t, "call of "+want, func() bool { return strings.HasSuffix(f.said(), want) })
	}
	for _, tt := range []struct {
		qualifier string
		n         int32
		want      string
	}{
		{"$LATEST", 1, "InvalidParameterValueException: " + msgUnpublished},
		{"3", 1, "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:3"},
		{"nowhere", 1, "ResourceNotFoundException: Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:g:nowhere"},
		{"live", 901, "InvalidParameterValueException: Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."},
		{"live", 2, "IN_PROGRESS"},
		{"1", 1, "ResourceConflictException: " + msgVersionOfAlias},
	} {
		if got := provide(tt.qualifier, tt.n); got != tt.want {
			t.Errorf("%s %d: %s, want %s", tt.qualifier, tt.n, got, tt.want)
		}
	}
	asked("g:1 2")
	if got := status("live"); got != "IN_PROGRESS 2 0 0 " {
		t.Error(got)
	}
	f.mu.Lock()
	f.started = 2
	f.mu.Unlock()
	leave, err := s.concurrency.enter(s, at("g", "live"))
	if err != nil {
		t.Fatal(err)
	}
	if got := status("live"); got != "READY 2 2 1 " {
		t.Error(got)
	}
	leave()
	f.mu.Lock()
	f.failure = errors.New("it cannot be loaded")
	f.mu.Unlock()
	if got := status("live"); got != "FAILED 2 2 2 it cannot be loaded" {
		t.Error(got)
	}
	if _, err := s.UpdateAlias(ctx, &UpdateAliasInput{FunctionName: new("g"), Name: new("live"), FunctionVersion: new("2")}); err != nil {
		t.Fatal(err)
	}
	asked("g:1 0,g:2 2")
	if why := reserve(s, "g", 1); !strings.Contains(why, "total provisioned concurrency [2]") {
		t.Error(why)
	}
	s.Close()
	s.Store.Close()
	s = openProvisioning(t, dir, f)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	asked("g:2 2,g:2 2")
	if _, err := s.DeleteAlias(ctx, &DeleteAliasInput{FunctionName: new("g"), Name: new("live")}); err != nil {
		t.Fatal(err)
	}
	asked("g:2 0")
	if list, err := s.ListProvisionedConcurrencyConfigs(ctx, &ListProvisionedConcurrencyConfigsInput{FunctionName: new("g")}); err != nil || len(list.ProvisionedConcurrencyConfigs) != 0 {
		t.Error(list, err)
	}
	if got := status("2"); got != "ProvisionedConcurrencyConfigNotFoundException: "+msgNoProvision {
		t.Error(got)
	}
}

func TestHowAFunctionIsCalledGoesWithIt(t *testing.T) {
	s := openProvisioning(t, t.TempDir(), &provisioning{})
	published(t, s)
	ctx := t.Context()
	if why := reserve(s, "g", 0); why != "" {
		t.Fatal(why)
	}
	url, err := s.CreateFunctionUrlConfig(ctx, &CreateFunctionUrlConfigInput{FunctionName: new("g"), Qualifier: new("live"), AuthType: new(FunctionUrlAuthTypeNone)})
	if err != nil {
		t.Fatal(err)
	}
	for _, qualifier := range []string{"$LATEST", "live"} {
		if _, err := s.PutFunctionEventInvokeConfig(ctx, &PutFunctionEventInvokeConfigInput{FunctionName: new("g"), Qualifier: &qualifier, MaximumRetryAttempts: new(int32(0))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.DeleteAlias(ctx, &DeleteAliasInput{FunctionName: new("g"), Name: new("live")}); err != nil {
		t.Fatal(err)
	}
	if list, err := s.ListFunctionEventInvokeConfigs(ctx, &ListFunctionEventInvokeConfigsInput{FunctionName: new("g")}); err != nil || len(list.FunctionEventInvokeConfigs) != 1 {
		t.Error(list, err)
	}
	id, region, _ := FunctionURL(strings.Split(*url.FunctionUrl, "/")[2])
	if u, err := s.byID(id, region); err != nil || u == nil {
		t.Error("a URL does not outlive its alias", err)
	}
	if _, err := s.DeleteFunction(ctx, &DeleteFunctionInput{FunctionName: new("g")}); err != nil {
		t.Fatal(err)
	}
	if u, err := s.byID(id, region); err != nil || u != nil {
		t.Error("a URL outlives its function", err)
	}
	published(t, s)
	if out, err := s.Invoke(ctx, &InvokeInput{FunctionName: new("g")}); err != nil || *out.StatusCode != 200 {
		t.Error("a new function of the name has what the old one had", err)
	}
	if _, err := s.GetFunctionEventInvokeConfig(ctx, &GetFunctionEventInvokeConfigInput{FunctionName: new("g")}); err == nil {
		t.Error("so has it its configuration")
	}
}
