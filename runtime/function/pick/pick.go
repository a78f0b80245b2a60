// Package pick chooses among the interpreters of a language that are installed, and remembers the choice.
package pick

import (
	"context"
	"errors"
	"os"
	"sync"
)

// ErrNone says that none of the candidates will do.
var ErrNone = errors.New("no interpreter was found")

// Best asks candidates in turn. It returns the first that is exactly what is wanted, else the first that will do, else ErrNone.
func Best[T any](ctx context.Context, candidates []string, ask func(path string) (found T, exact, ok bool)) (best T, exact bool, err error) {
	err = ErrNone
	for _, path := range candidates {
		found, exact, ok := ask(path)
		if ctx.Err() != nil {
			return best, false, ctx.Err()
		}
		if ok && exact {
			return found, true, nil
		}
		if ok && err != nil {
			best, err = found, nil
		}
	}
	return best, false, err
}

// Memory remembers which interpreter each runtime gets, for as long as it is there and PATH is the same. The zero value remembers none.
type Memory[T any] struct {
	mu    sync.Mutex
	found map[string]choice[T] // by runtime and PATH
}

type choice[T any] struct {
	interpreter T
	path        string
}

// Of returns what find has found for a runtime: an interpreter, and its path. One that was not found is looked for again.
func (m *Memory[T]) Of(runtime string, find func() (found T, path string, err error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := runtime + "\x00" + os.Getenv("PATH")
	if c, ok := m.found[key]; ok {
		if _, err := os.Stat(c.path); err == nil {
			return c.interpreter, nil
		}
	}
	found, path, err := find()
	if err != nil {
		return found, err
	}
	if m.found == nil {
		m.found = map[string]choice[T]{}
	}
	m.found[key] = choice[T]{found, path}
	return found, nil
}
