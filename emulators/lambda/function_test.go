package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// create makes a function g of an archive and waits until it is active.
func create(t *testing.T, s *Service, name string, archive []byte) {
	t.Helper()
	if _, err := s.CreateFunction(t.Context(), newFunction(name, archive)); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the creation", func() bool { return !changing(t, s) })
}

func newFunction(name string, archive []byte) *CreateFunctionInput {
	return &CreateFunctionInput{
		FunctionName: &name, Runtime: new("python3.12"), Handler: new("app.handler"), Role: new("arn:aws:iam::000000000000:role/r"), Code: &FunctionCode{ZipFile: archive},
	}
}

func publish(t *testing.T, s *Service, name string) {
	t.Helper()
	if _, err := s.PublishVersion(t.Context(), &PublishVersionInput{FunctionName: &name}); err != nil {
		t.Fatal(err)
	}
}

func describeAgain(t *testing.T, s *Service, name, description string) {
	t.Helper()
	if _, err := s.UpdateFunctionConfiguration(t.Context(), &UpdateFunctionConfigurationInput{FunctionName: &name, Description: &description}); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the update", func() bool { return !changing(t, s) })
}

func TestAVersionIsDeployedByItsFirstCall(t *testing.T) {
	f := &scripted{}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	create(t, s, "g", zipped(t, entry{name: "app.py", content: "one"}))
	publish(t, s, "g")
	const g = "arn:aws:lambda:us-east-1:000000000000:function:g"
	deployed := func() []string {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Sorted(maps.Keys(f.deployed))
	}
	if got := deployed(); !slices.Equal(got, []string{g}) {
		t.Errorf("deployed are %v", got)
	}
	for range 2 {
		out, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("g:1")})
		if err != nil || *out.ExecutedVersion != "1" {
			t.Fatal(out, err)
		}
	}
	if got := deployed(); !slices.Equal(got, []string{g, g + ":1"}) {
		t.Errorf("deployed are %v", got)
	}
	if want := g + ":1 " + g + ":1"; f.called[0] != want {
		t.Errorf("called was %q, want %q", f.called[0], want)
	}
	d := f.deployed[g+":1"]
	if b, err := os.ReadFile(d.Code + "/app.py"); err != nil || string(b) != "one" || d.Version != "1" || d.Handler != "app.handler" {
		t.Errorf("it was deployed as %+v (%s, %v)", d, b, err)
	}
	if _, err := s.DeleteFunction(t.Context(), &DeleteFunctionInput{FunctionName: new("g")}); err != nil {
		t.Fatal(err)
	}
	if got := deployed(); len(got) != 0 {
		t.Errorf("after its end deployed are %v", got)
	}
	if _, err := os.Stat(d.Code); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its code is still there: %v", err)
	}
}

func TestAnAliasDividesItsCalls(t *testing.T) {
	f := &scripted{}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	create(t, s, "g", zipped(t, entry{name: "app.py", content: "one"}))
	publish(t, s, "g")
	describeAgain(t, s, "g", "second")
	publish(t, s, "g")
	if _, err := s.CreateAlias(t.Context(), &CreateAliasInput{
		FunctionName: new("g"), Name: new("live"), FunctionVersion: new("1"), RoutingConfig: &AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.2}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		roll float64
		want string
	}{{0, "2"}, {0.1999, "2"}, {0.2, "1"}, {0.9999, "1"}} {
		s.roll = func() float64 { return tt.roll }
		out, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("g"), Qualifier: new("live")})
		if err != nil || *out.ExecutedVersion != tt.want {
			t.Errorf("at %v: %v %v, want version %s", tt.roll, out, err, tt.want)
		}
	}
	if !strings.HasSuffix(f.called[0], "function:g:2 arn:aws:lambda:us-east-1:000000000000:function:g:live") {
		t.Errorf("it was called as %s", f.called[0])
	}
}

func TestAFunctionThatCannotRunHereSaysWhy(t *testing.T) {
	f := &scripted{deploy: func(Deployment) error { return errors.New("no python3.12 was found") }}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	create(t, s, "g", zipped(t, entry{name: "app.py", content: "one"}))
	out, err := s.GetFunctionConfiguration(t.Context(), &GetFunctionConfigurationInput{FunctionName: new("g")})
	if err != nil || *out.State != StateFailed || *out.StateReason != "no python3.12 was found" || *out.StateReasonCode != StateReasonCodeInternalError {
		t.Errorf("got %+v %v", out, err)
	}
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("g")}); err == nil || !strings.HasPrefix(err.Error(), "ResourceConflictException") {
		t.Errorf("invoked: %v", err)
	}
	f.deploy = nil
	describeAgain(t, s, "g", "try again")
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("g")}); err != nil {
		t.Errorf("after an update: %v", err)
	}
}

func TestManyFirstCallsAreOneDeployment(t *testing.T) {
	dir, c := t.TempDir(), clock.System()
	s := open(t, dir, c, &scripted{}, nil)
	create(t, s, "g", zipped(t, entry{name: "app.py", content: "one"}))
	s.Close()
	s.Store.Close()

	var deployments atomic.Int32
	s = open(t, dir, c, &scripted{deploy: func(Deployment) error { deployments.Add(1); return nil }}, nil)
	errs := make(chan error)
	for range 20 {
		go func() {
			_, err := s.Invoke(context.Background(), &InvokeInput{FunctionName: new("g")})
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := deployments.Load(); n != 1 {
		t.Errorf("%d deployments", n)
	}
}

func TestWhatWasBeingCreatedIsGoneOnWith(t *testing.T) {
	dir, c := t.TempDir(), clock.System()
	hang := make(chan struct{})
	s := open(t, dir, c, &scripted{deploy: func(Deployment) error { <-hang; return errors.New("the process ends") }}, nil)
	if _, err := s.CreateFunction(t.Context(), newFunction("g", zipped(t, entry{name: "app.py", content: "one"}))); err != nil {
		t.Fatal(err)
	}
	s.stop()
	close(hang)
	s.Close()
	s.Store.Close()
	s = open(t, dir, c, &scripted{}, nil)
	if !changing(t, s) {
		t.Error("the creation has ended by the end of the process")
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the creation", func() bool { return !changing(t, s) })
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("g")}); err != nil {
		t.Error(err)
	}
}

func TestCodeIsFetchedWhereTheFunctionSays(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	archive := zipped(t, entry{name: "app.py", content: "one"})
	create(t, s, "g", archive)
	ctx := wire.WithRequest(t.Context(), &wire.Request{Account: wire.DefaultAccount, Region: wire.DefaultRegion, Host: "localhost:4566"})
	out, err := s.GetFunction(ctx, &GetFunctionInput{FunctionName: new("g")})
	if err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(*out.Code.Location, "http://localhost:4566")
	if !ok || !ServesCode(path) {
		t.Fatalf("it is at %s", *out.Code.Location)
	}
	for path, want := range map[string]int{path: 200, codePath + strings.Repeat("0", 64) + ".zip": 404, codePath + "../lambda.db": 404, codePath: 404} {
		w := httptest.NewRecorder()
		s.ServeCode(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want || want == 200 && !bytes.Equal(w.Body.Bytes(), archive) {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestPagesOfFunctions(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	archive := zipped(t, entry{name: "app.py", content: "one"})
	want := []string{"f"} // declared
	for i := range 7 {
		name := fmt.Sprintf("g%d", i)
		create(t, s, name, archive)
		want = append(want, name)
	}
	var got []string
	in := &ListFunctionsInput{MaxItems: new(int32(3))}
	for pages := 1; ; pages++ {
		out, err := s.ListFunctions(t.Context(), in)
		if err != nil || len(out.Functions) > 3 || pages > 3 {
			t.Fatalf("page %d: %v %v", pages, out, err)
		}
		for _, f := range out.Functions {
			got = append(got, *f.FunctionName)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// mistake is an error of the runtime that is the developer's to mend.
type mistake struct{}

func (mistake) Error() string { return "it is elsewhere" }
func (mistake) Frozen()       {}

func TestAVersionOfADeclaredFunctionIsACopy(t *testing.T) {
	f := &scripted{source: "one"}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	publish(t, s, "f")
	publish(t, s, "f") // nothing has changed: the same again
	f.source = "two"
	publish(t, s, "f")
	for version, want := range map[string]string{"1": "one", "2": "two"} {
		if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f"), Qualifier: &version}); err != nil {
			t.Fatal(err)
		}
		d := f.deployed["arn:aws:lambda:us-east-1:000000000000:function:f:"+version]
		if b, err := os.ReadFile(d.Code); err != nil || string(b) != want || !strings.HasSuffix(d.Code, "/fn/f.js") {
			t.Errorf("version %s was deployed as %+v (%s, %v)", version, d, b, err)
		}
	}
	if list, err := s.ListVersionsByFunction(t.Context(), &ListVersionsByFunctionInput{FunctionName: new("f")}); err != nil || len(list.Versions) != 3 {
		t.Errorf("there are %v %v", list, err)
	}
	f.unfrozen = mistake{}
	_, err := s.PublishVersion(t.Context(), &PublishVersionInput{FunctionName: new("f")})
	if want := "InvalidParameterValueException: No version of function f can be published: it is elsewhere"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	checkArchives(t, s)
}

// TestTheLatestCodeIsDeployedLast calls a function while its code is replaced again and again: what is deployed in the end is the latest.
func TestTheLatestCodeIsDeployedLast(t *testing.T) {
	f := &scripted{}
	s := open(t, t.TempDir(), clock.System(), f, nil)
	create(t, s, "g", zipped(t, entry{name: "app.py", content: "0"}))
	stop, calling := make(chan struct{}), sync.WaitGroup{}
	for range 4 {
		calling.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = s.Invoke(context.Background(), &InvokeInput{FunctionName: new("g")}) // it may be refused in between
				}
			}
		})
	}
	for n := range 30 {
		if _, err := s.UpdateFunctionCode(t.Context(), &UpdateFunctionCodeInput{FunctionName: new("g"), ZipFile: zipped(t, entry{name: "app.py", content: fmt.Sprint(n)})}); err != nil {
			t.Fatal(err)
		}
		until(t, "end of the update", func() bool { return !changing(t, s) })
		f.mu.Lock()
		d := f.deployed["arn:aws:lambda:us-east-1:000000000000:function:g"]
		f.mu.Unlock()
		if b, err := os.ReadFile(filepath.Join(d.Code, "app.py")); err != nil || string(b) != fmt.Sprint(n) {
			t.Errorf("after update %d deployed is %s %v", n, b, err)
		}
	}
	close(stop)
	calling.Wait()
}
