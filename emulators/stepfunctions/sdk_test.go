package stepfunctions_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"devstack/emulators/kit"
	"devstack/emulators/stepfunctions"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// dial serves the emulator on a real socket and returns the official client. StartSyncExecution's client puts "sync-" before
// the host's name: it is led to the same socket.
func dial(t *testing.T) *sfn.Client {
	st := store.New(filepath.Join(t.TempDir(), "stepfunctions.db"), store.Options{})
	c := clock.System()
	svc, engine := stepfunctions.New(kit.Env{Store: st, Clock: c, IDs: kit.RandomIDs(), Log: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(wire.NewServer(wire.Config{Services: []*wire.Service{svc}, NewID: kit.RandomIDs().UUID, Now: c.Now}))
	t.Cleanup(func() {
		server.Close()
		engine.Close()
		st.Close()
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	return sfn.New(sfn.Options{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}})
}

func TestOfficialClient(t *testing.T) {
	c := dial(t)
	create := func(name string, kind types.StateMachineType, definition string) *string {
		t.Helper()
		m, err := c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: &name, Type: kind, Definition: &definition,
			RoleArn: aws.String("arn:aws:iam::000000000000:role/r"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
		if err != nil {
			t.Fatal(err)
		}
		return m.StateMachineArn
	}
	const double = `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($, $)"},"OutputPath":"$.n","End":true}}},"End":true}}}`
	machine := create("double", types.StateMachineTypeStandard, double)
	if *machine != "arn:aws:states:eu-central-1:000000000000:stateMachine:double" {
		t.Errorf("ARN %s", *machine)
	}

	x, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: machine, Input: aws.String("[1,2,3]")})
	if err != nil {
		t.Fatal(err)
	}
	var d *sfn.DescribeExecutionOutput
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if d, err = c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: x.ExecutionArn}); err != nil {
			t.Fatal(err)
		}
		if d.Status != types.ExecutionStatusRunning || time.Now().After(deadline) {
			break
		}
	}
	if d.Status != types.ExecutionStatusSucceeded || *d.Output != "[2,4,6]" {
		t.Errorf("status %s, output %v", d.Status, d.Output)
	}
	pages := sfn.NewGetExecutionHistoryPaginator(c, &sfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn, MaxResults: 4})
	var events []types.HistoryEvent
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, p.Events...)
	}
	last := events[len(events)-1]
	if len(events) != 18 || last.Type != types.HistoryEventTypeExecutionSucceeded || *last.ExecutionSucceededEventDetails.Output != "[2,4,6]" || last.Timestamp.IsZero() {
		t.Errorf("%d events, the last %+v", len(events), last)
	}

	express := create("express", types.StateMachineTypeExpress, strings.Replace(double, `"Pass"`, `"Pass","Comment":"express"`, 1))
	s, err := c.StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: express, Input: aws.String("[4]")})
	if err != nil || s.Status != types.SyncExecutionStatusSucceeded || *s.Output != "[8]" || s.BillingDetails.BilledMemoryUsedInMB != 64 {
		t.Errorf("sync: %+v, %v", s, err)
	}

	_, err = c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(*machine + "2")})
	var missing *types.StateMachineDoesNotExist
	if !errors.As(err, &missing) || missing.ErrorMessage() != "State Machine Does Not Exist: '"+*machine+"2'" {
		t.Errorf("no such machine: %v", err)
	}
	_, err = c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("bad"), Definition: aws.String(`{"StartAt":"A","States":{}}`), RoleArn: aws.String("arn:r")})
	var invalid *types.InvalidDefinition
	if !errors.As(err, &invalid) {
		t.Errorf("a bad definition: %v", err)
	}
}
