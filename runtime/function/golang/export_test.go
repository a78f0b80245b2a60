package golang

import (
	"context"
	"sync/atomic"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// Planned is an engine whose builds return when the plan for the next one is made, so that what follows is built by it.
type Planned struct {
	*Engine
	Direct *atomic.Int64 // builds by a plan
}

// Build builds, and waits for a plan; not for long, because sources may not come to rest.
func (e Planned) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	b, err := e.Engine.Build(ctx, fn, previous)
	if p, ok := b.(*program); ok && err == nil {
		if p.sum != "" {
			e.Direct.Add(1)
		}
		if p.plan != nil {
			select {
			case <-p.plan.done:
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
		}
	}
	return b, err
}
