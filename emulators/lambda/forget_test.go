package lambda

import (
	"testing"

	"devstack/internal/clock"
)

func TestWhatIsKeptOfADeclaredFunctionGoesWithIt(t *testing.T) {
	for name, set := range map[string]func(*Service) error{
		"concurrency": func(s *Service) error {
			_, err := s.PutFunctionConcurrency(t.Context(), &PutFunctionConcurrencyInput{FunctionName: new("f"), ReservedConcurrentExecutions: new(int32(3))})
			return err
		},
		"a URL": func(s *Service) error {
			_, err := s.CreateFunctionUrlConfig(t.Context(), &CreateFunctionUrlConfigInput{FunctionName: new("f"), AuthType: new("NONE")})
			return err
		},
		"asynchronous settings": func(s *Service) error {
			_, err := s.PutFunctionEventInvokeConfig(t.Context(), &PutFunctionEventInvokeConfigInput{FunctionName: new("f"), MaximumRetryAttempts: new(int32(0))})
			return err
		},
		"tags": func(s *Service) error {
			_, err := s.TagResource(t.Context(), &TagResourceInput{Resource: new("arn:aws:lambda:us-east-1:000000000000:function:f"), Tags: map[string]string{"a": "b"}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			world := &scripted{}
			s := open(t, t.TempDir(), clock.Fixed(epoch), world, nil)
			if err := set(s); err != nil {
				t.Fatal(err)
			}
			world.names = []string{"another"} // the stack has it no more
			if _, err := s.DeleteFunction(t.Context(), &DeleteFunctionInput{FunctionName: new("f")}); err != nil {
				t.Fatalf("what is left of it cannot be deleted: %v", err)
			}
			if _, err := s.DeleteFunction(t.Context(), &DeleteFunctionInput{FunctionName: new("f")}); !hasCode(err, "ResourceNotFoundException") {
				t.Errorf("deleting it again: %v", err)
			}
		})
	}
}
