package extension

import "devstack/runtime/function"

// Closed says that the initialisation is over.
func (h *Host) Closed() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.telemetry.begun()
}

// Expect makes an external extension known whose process the test plays.
func (h *Host) Expect(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.agents = append(h.agents, &agent{name: name, external: true, state: started, next: make(chan []byte, 1)})
}

// SetBuffering sets a subscriber's bounds below what a subscription can.
func (h *Host) SetBuffering(items, bytes, ms int) {
	for _, s := range h.telemetry.all() {
		s.mu.Lock()
		s.maxItems, s.maxBytes, s.timeoutMs = items, bytes, ms
		s.mu.Unlock()
	}
}

// Subscribe checks a subscription, and closes what came of it.
func (h *Host) Subscribe(legacy bool, in []byte) string {
	kind := telemetryAPI
	if legacy {
		kind = logsAPI
	}
	s, problem := h.parse(kind, "x", in)
	if s != nil {
		s.offer(function.Record{Type: "function", Record: string(in)})
		s.close()
	}
	return problem
}
