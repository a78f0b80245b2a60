package main

import (
	"strings"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/supervise"
)

func TestASlowStartIsToldOf(t *testing.T) {
	var out strings.Builder
	newScreen(&out).starting([]supervise.Status{
		{ID: config.ID{Type: "table", Name: "orders"}, State: supervise.Ready},
		{ID: config.ID{Type: "function", Name: "packed"}, State: supervise.Starting},
		{ID: config.ID{Type: "api", Name: "web"}, State: supervise.Pending},
	}, 3200*time.Millisecond)
	if got, want := strings.Join(strings.Fields(out.String()), " "), "starts function.packed 3 s so far"; got != want {
		t.Errorf("the terminal says %q, want %q", got, want)
	}
}
