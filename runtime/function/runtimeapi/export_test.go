package runtimeapi

import (
	"net/http"
	"time"

	"devstack/runtime/function"
)

// Failure is failure.
func Failure(header string, body []byte) *function.FunctionError { return failure(header, body) }

// Handler serves a sandbox that has no event.
func Handler() http.Handler { return newAPI().handler() }

// SetPatience sets patience.
func SetPatience(d time.Duration) { patience = d }
