package wasm

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
)

// Bench compiles and runs modules without a file or a folder, one after the other. What WASI is is compiled once.
type Bench struct {
	engine *Engine
	cache  wazero.CompilationCache
}

// NewBench returns one.
func NewBench() *Bench {
	return &Bench{engine: New(Options{Clock: clock.System()}), cache: wazero.NewCompilationCache()}
}

// Run runs a module that has a MiB of memory for one event. fit is false for one that is no function.
func (b *Bench) Run(ctx context.Context, code, event []byte) (out []byte, fit bool, err error) {
	built := &build{root: "testdata", cache: b.cache}
	defer func() {
		life := context.WithoutCancel(ctx)
		if built.module != nil {
			err = errors.Join(err, built.module.Close(life))
		}
		err = errors.Join(err, built.runtime.Close(life))
	}()
	if err := built.compile(ctx, code, 1); err != nil {
		return nil, false, nil
	}
	s, err := b.engine.Start(ctx, &config.Function{Runtime: "wasm"}, built, nil, func(string, string) {})
	if err != nil {
		return nil, false, nil
	}
	defer s.Close()
	out, err = s.Invoke(ctx, &function.Event{Payload: event})
	return out, true, err
}
