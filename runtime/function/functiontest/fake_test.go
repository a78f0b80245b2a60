package functiontest_test

import (
	"testing"

	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
)

func TestFake(t *testing.T) {
	functiontest.Run(t, func(*testing.T) function.Engine { return &functiontest.Fake{} }, functiontest.FakeSample)
}
