package main

import (
	"errors"

	"devstack/runtime/config"
	"devstack/runtime/provision"
	"devstack/runtime/seed"
)

// checkSeed reads a file of items before anything is made of it.
func checkSeed(path string, t *config.Table) (line int, message string) {
	_, err := seed.Read(path, provision.SeedKeys(t))
	if err == nil {
		return 0, ""
	}
	if fault, ok := errors.AsType[*seed.Fault](err); ok {
		return fault.Line, fault.Message
	}
	return 0, err.Error()
}
