package extension

import (
	"slices"
	"time"
)

// How long what lives in a sandbox has to end by itself. Without extensions it is ended at once.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
const (
	internalBudget = 500 * time.Millisecond  // all, with internal extensions only
	externalBudget = 2000 * time.Millisecond // all, with external ones
	runtimeShare   = 300 * time.Millisecond  // of that, the runtime's
)

// Shutdown ends the runtime, then the extensions: it asks each to end, and kills what has not when its time is over.
func (h *Host) Shutdown(reason string) {
	h.shutdown.Do(func() {
		h.mu.Lock()
		h.ending, h.closed = true, true
		external := slices.ContainsFunc(h.agents, func(a *agent) bool { return a.external })
		internal := slices.ContainsFunc(h.agents, func(a *agent) bool { return !a.external })
		runtime := h.runtime
		h.mu.Unlock()
		budget, share := externalBudget, runtimeShare
		switch {
		case !external && !internal:
			budget, share = 0, 0
		case !external:
			budget, share = internalBudget, internalBudget
		case internal:
			share = internalBudget
		}
		deadline := time.Now().Add(budget) // of processes, which have the operating system's clock
		if runtime != nil {
			end(runtime, share)
		}
		h.telemetry.flush()
		if external {
			h.dismiss(reason, deadline)
		}
		h.Close()
	})
}

// end asks a process to end, and kills it if it has not in time.
func end(p Process, within time.Duration) {
	if within > 0 {
		p.Terminate()
		wait := time.NewTimer(within)
		defer wait.Stop()
		select {
		case <-p.Done():
		case <-wait.C:
		}
	}
	p.Kill() // what is left of it and of its children
}

// dismiss tells the extensions that want to know that the sandbox ends, and waits for all of those to end.
func (h *Host) dismiss(reason string, deadline time.Time) {
	body := marshal(struct {
		EventType string `json:"eventType"`
		Reason    string `json:"shutdownReason"`
		Deadline  int64  `json:"deadlineMs"`
	}{"SHUTDOWN", reason, deadline.UnixMilli()})
	var told []*agent
	h.mu.Lock()
	for _, a := range h.agents {
		if a.process == nil || !slices.Contains(a.events, "SHUTDOWN") {
			continue // ended by force, as Close does
		}
		select {
		case <-a.next: // an event that it has not taken is nobody's any more
		default:
		}
		a.next <- body
		told = append(told, a)
	}
	h.mu.Unlock()
	wait := time.NewTimer(time.Until(deadline))
	defer wait.Stop()
	for i, a := range told {
		select {
		case <-a.process.Done():
			continue
		case <-wait.C:
		}
		h.mu.Lock()
		for _, late := range told[i:] {
			if late.state != exited {
				late.state = notShutDown
			}
		}
		h.mu.Unlock()
		return
	}
}
