package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/runtime/config"
)

// checker is a Cloud that holds nothing and opens no file: the stack's own may not be there yet.
var checker = sync.OnceValue(func() *emulators.Cloud {
	return emulators.Open(emulators.Config{Ephemeral: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
})

// checkDefinition has Step Functions look at a state machine's definition before anything is made of it.
func checkDefinition(definition, machineType string) []config.DefinitionFault {
	var out struct {
		Diagnostics []struct{ Severity, Code, Message, Location string }
	}
	err := checker().Call(context.Background(), "stepfunctions", "ValidateStateMachineDefinition", map[string]any{"definition": definition, "type": machineType}, &out)
	if err != nil {
		return []config.DefinitionFault{{Message: err.Error()}}
	}
	var faults []config.DefinitionFault
	for _, d := range out.Diagnostics {
		if d.Severity == "ERROR" {
			faults = append(faults, config.DefinitionFault{Message: fmt.Sprintf("%s: %s", d.Code, d.Message), Location: d.Location})
		}
	}
	return faults
}
