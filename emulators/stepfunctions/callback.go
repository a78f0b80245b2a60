package stepfunctions

import (
	"context"
	"errors"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/store"
)

// waiter is what is stored of a task token: whose it is, and how the task ended, once somebody has said so.
type waiter struct {
	Execution string
	Outcome   *outcome `json:",omitempty"`
}

// outcome is how a task with a token ended.
type outcome struct {
	Output       *string `json:",omitempty"` // JSON; nil: it failed
	Error, Cause *string `json:",omitempty"`
}

// listener hears of what is said about a token.
type listener struct {
	ended chan struct{} // closed once the token's outcome is stored
	beat  chan struct{}
}

// listen makes a listener for a token, until the returned function is called.
func (e *Service) listen(token string) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners[token] = &listener{ended: make(chan struct{}), beat: make(chan struct{}, 1)}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, token)
	}
}

func (e *Service) listener(token string) *listener {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listeners[token]
}

// awaitToken waits until somebody says how the task ended, or nobody says that it is alive for too long.
func (c *call) awaitToken(ctx context.Context) (*data, error) {
	e, token := c.b.run.engine, c.b.f.Token
	l := e.listener(token)
	for {
		if o := e.outcome(token); o != nil {
			c.b.run.spend(token)
			if o.Output == nil {
				return nil, &failure{name: o.Error, cause: o.Cause}
			}
			return textData(*o.Output), nil
		}
		silence := make(chan struct{})
		stop := func() bool { return true }
		if c.heartbeat > 0 {
			stop = e.Clock.AfterFunc(time.Duration(c.heartbeat)*time.Second, func() { close(silence) })
		}
		select {
		case <-l.ended:
		case <-l.beat:
		case <-silence:
			c.b.run.spend(token)
			return nil, errSilent
		case <-ctx.Done():
			stop()
			if cause := context.Cause(ctx); !errors.Is(cause, errClosing) {
				c.b.run.spend(token)
			}
			return nil, context.Cause(ctx)
		}
		stop()
	}
}

// outcome returns how the task of a token ended, nil if nobody has said so.
func (e *Service) outcome(token string) (o *outcome) {
	err := e.Store.View(func(tx *store.Tx) error {
		w, _ := tokens.Get(tx, token)
		o = w.Outcome
		return nil
	})
	if err != nil {
		return nil
	}
	return o
}

// SendTaskSuccess ends a task that waits for its token, with a result.
//
// Output is JSON. InvalidOutput if it is not, InvalidToken if the token is not one of ours, TaskTimedOut if nothing waits
// for it any more.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
func (s *operations) SendTaskSuccess(_ context.Context, in *SendTaskSuccessInput) (*SendTaskSuccessOutput, error) {
	if err := checkToken(*in.TaskToken); err != nil {
		return nil, err
	}
	if _, err := value.Decode(*in.Output); err != nil {
		return nil, errInvalidOutput("Invalid Output: '%s'", err)
	}
	return &SendTaskSuccessOutput{}, s.engine.settle(*in.TaskToken, outcome{Output: in.Output})
}

// SendTaskFailure ends a task that waits for its token, with an error.
//
// InvalidToken and TaskTimedOut as with SendTaskSuccess.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
func (s *operations) SendTaskFailure(_ context.Context, in *SendTaskFailureInput) (*SendTaskFailureOutput, error) {
	if err := checkToken(*in.TaskToken); err != nil {
		return nil, err
	}
	return &SendTaskFailureOutput{}, s.engine.settle(*in.TaskToken, outcome{Error: in.Error, Cause: in.Cause})
}

// SendTaskHeartbeat says that a task that waits for its token is alive: its HeartbeatSeconds begin anew.
//
// InvalidToken and TaskTimedOut as with SendTaskSuccess.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskHeartbeat.html
func (s *operations) SendTaskHeartbeat(_ context.Context, in *SendTaskHeartbeatInput) (*SendTaskHeartbeatOutput, error) {
	if err := checkToken(*in.TaskToken); err != nil {
		return nil, err
	}
	err := s.Store.View(func(tx *store.Tx) error {
		if w, ok := tokens.Get(tx, *in.TaskToken); !ok || w.Outcome != nil {
			return errTaskTimedOut(msgTaskGone)
		}
		return nil
	})
	if l := s.engine.listener(*in.TaskToken); l != nil && err == nil {
		select {
		case l.beat <- struct{}{}:
		default: // one is on its way
		}
	}
	return &SendTaskHeartbeatOutput{}, err
}

// msgTaskGone is AWS's, from memory.
const msgTaskGone = "Task Timed Out: 'Provided task does not exist anymore'"

// settle stores a task's end and wakes the branch that waits for it.
func (e *Service) settle(token string, o outcome) error {
	err := e.Store.Update(func(tx *store.Tx) error {
		w, ok := tokens.Get(tx, token)
		if !ok || w.Outcome != nil {
			return errTaskTimedOut(msgTaskGone)
		}
		w.Outcome = &o
		tokens.Put(tx, w, token)
		return nil
	})
	if l := e.listener(token); l != nil && err == nil {
		close(l.ended)
	}
	return err
}

// checkToken refuses what cannot be a token. The message is AWS's (recorded answer).
func checkToken(token string) error {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) != len(tokenPrefix)+tokenDigits {
		return errInvalidToken("Invalid Token: 'Invalid token'")
	}
	return nil
}
