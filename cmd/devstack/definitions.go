package main

import (
	"context"
	"fmt"
	"log/slog"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/runtime/config"
)

// checkDefinition has Step Functions look at a state machine's definition before anything is made of it: a Cloud of its own, which
// holds nothing and opens no file.
func checkDefinition(definition, machineType string) []config.DefinitionFault {
	cloud := emulators.Open(emulators.Config{Ephemeral: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
	defer cloud.Close()
	var out struct {
		Diagnostics []struct{ Severity, Code, Message, Location string }
	}
	err := cloud.Call(context.Background(), "stepfunctions", "ValidateStateMachineDefinition", map[string]any{"definition": definition, "type": machineType}, &out)
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
