package stepfunctions

import (
	"context"
	"errors"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
)

// maxAtOnce is how many iterations of an inline Map run at the same time where MaxConcurrency does not say.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
const maxAtOnce = 40

// mapState runs its states once for each item, and returns the list of the outputs.
func (b *branch) mapState(ctx context.Context, s *asl.State, in *data) (*data, error) {
	items, err := b.items(s, in)
	if err != nil {
		return nil, err
	}
	atOnce, err := b.number("MaxConcurrencyPath", s.MaxConcurrency, in)
	if err != nil {
		return nil, err
	}
	if atOnce == 0 {
		atOnce = maxAtOnce
	}
	if b.f.Phase != inside {
		b.f.Phase = inside
		b.run.record(b.f, b.f.Last, event{Type: HistoryEventTypeMapStateStarted, Number: int32(len(items))}, &b.f.Last, &b.f.Started)
	}
	m := &mapping{b: b, s: s, in: in, items: items, outs: make([]*data, len(items)), last: b.f.Started}
	var inner context.Context
	m.group, inner = b.group(ctx)
	for range min(int(atOnce), len(items)) {
		m.work.Go(func() { m.worker(inner) })
	}
	if err := m.wait(ctx, s, len(items)); err != nil {
		return nil, err
	}
	b.forgetBelow(len(items))
	b.f.Last = m.last
	b.run.aside(b.f, event{Type: HistoryEventTypeMapStateSucceeded})
	return listData(m.outs), nil
}

// items is the list that the state maps.
func (b *branch) items(s *asl.State, in *data) ([]any, error) {
	v := in.value()
	if s.ItemsPath != nil {
		var err error
		if v, err = b.selected(s.ItemsPath, in); err != nil {
			return nil, err
		}
	}
	list, ok := v.([]any)
	if !ok { // the message is AWS's, from memory
		path := "$"
		if s.ItemsPath != nil {
			path = s.ItemsPath.String()
		}
		return nil, b.failIn(errRuntime, "Reference path \"%s\" must point to array.", path)
	}
	return list, nil
}

// mapping is a Map state at work.
type mapping struct {
	*group
	b     *branch
	s     *asl.State
	in    *data
	items []any

	next int     // the next item; guarded by the group's mu, as are:
	outs []*data //
	last int64   // the latest iteration's success
}

// worker runs one iteration after another. The start of each follows from the end of the one before (recorded answers).
func (m *mapping) worker(ctx context.Context) {
	prev := m.b.f.Started
	for {
		m.mu.Lock()
		i := m.next
		m.next++
		m.mu.Unlock()
		if i >= len(m.items) || ctx.Err() != nil {
			return
		}
		child, err := m.iterate(ctx, i, prev)
		if err != nil {
			m.iterationFailed(child, i, err)
			return
		}
		prev = child.f.Last
	}
}

// iterate runs the iteration of an item.
func (m *mapping) iterate(ctx context.Context, i int, prev int64) (*branch, error) {
	b := m.b
	child, begun := b.below(i, m.s.Processor)
	child.item = value.NewObject("Item", value.NewObject("Index", value.Int(int64(i)), "Value", m.items[i]))
	if !begun {
		input, err := m.input(child.item, i)
		if err == nil {
			child.f.Input = input.text
		}
		b.run.record(child.f, prev, event{Type: HistoryEventTypeMapIterationStarted, Name: m.s.Name, Number: int32(i)}, &child.f.Last, &child.f.Started)
		if err != nil {
			return child, err
		}
	}
	out, err := child.walk(ctx)
	if err != nil {
		return child, err
	}
	if child.f.Counted == 0 {
		b.run.record(child.f, child.f.Last, event{Type: HistoryEventTypeMapIterationSucceeded, Name: m.s.Name, Number: int32(i)}, nil, &child.f.Counted)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outs[i] = out
	m.last = max(m.last, child.f.Counted)
	return child, nil
}

// input is what an iteration gets: the item, or what ItemSelector makes of it and of the Map state's input.
func (m *mapping) input(item *value.Object, i int) (*data, error) {
	if m.s.ItemSelector == nil {
		return valueData(m.items[i]), nil
	}
	outer := *m.b
	outer.item = item
	return outer.template(m.s.ItemSelector, m.in)
}

// iterationFailed records that an iteration failed or was given up, and stops the others.
func (m *mapping) iterationFailed(child *branch, i int, err error) {
	ev := event{Type: HistoryEventTypeMapIterationFailed, Name: m.s.Name, Number: int32(i)}
	if m.fail(child, err) {
		m.b.run.aside(child.f, ev)
		m.cancel(errSibling)
		return
	}
	if errors.Is(err, errSibling) {
		ev.Type = HistoryEventTypeMapIterationAborted
		m.b.run.aside(child.f, ev)
	}
}
