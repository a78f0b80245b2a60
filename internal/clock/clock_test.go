package clock

import (
	"context"
	"sync"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestAdvanceFiresInOrder(t *testing.T) {
	c := Fixed(epoch)
	var got []time.Duration
	at := func(d time.Duration) { c.AfterFunc(d, func() { got = append(got, c.Now().Sub(epoch)) }) }
	at(2 * time.Second)
	at(time.Second)
	at(time.Hour)
	c.Advance(time.Minute)
	if len(got) != 2 || got[0] != time.Second || got[1] != 2*time.Second {
		t.Fatalf("fired at %v, want [1s 2s]", got)
	}
	if now := c.Now(); !now.Equal(epoch.Add(time.Minute)) {
		t.Fatalf("clock stands at %v, want one minute after %v", now, epoch)
	}
}

func TestTimerSetByATimerFiresInTheSameMove(t *testing.T) {
	c := Fixed(epoch)
	ticks := 0
	var tick func()
	tick = func() { ticks++; c.AfterFunc(time.Second, tick) }
	c.AfterFunc(time.Second, tick)
	c.Advance(10 * time.Second)
	if ticks != 10 {
		t.Fatalf("%d ticks in 10 s, want 10", ticks)
	}
}

func TestStop(t *testing.T) {
	c := Fixed(epoch)
	stop := c.AfterFunc(time.Second, func() { t.Error("a stopped timer fired") })
	if !stop() {
		t.Error("stop before the instant reported false")
	}
	c.Advance(time.Minute)
	if stop() {
		t.Error("stopping twice reported true")
	}
}

func TestSystemClockFiresByWaitingAndByMoving(t *testing.T) {
	c := System()
	waited, moved := make(chan bool, 1), make(chan bool, 1)
	c.AfterFunc(5*time.Millisecond, func() { waited <- true })
	<-waited
	before := c.Now()
	c.AfterFunc(24*time.Hour, func() { moved <- true })
	c.Advance(25 * time.Hour)
	<-moved
	if passed := c.Now().Sub(before); passed < 25*time.Hour {
		t.Fatalf("%v passed after moving 25h", passed)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Sleep(ctx, Fixed(epoch), time.Hour); err != context.Canceled {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestMovesAddUp(t *testing.T) {
	c := Fixed(epoch)
	under, finish := make(chan bool), make(chan bool)
	c.AfterFunc(time.Second, func() { close(under); <-finish })
	var moves sync.WaitGroup
	for range 2 {
		moves.Go(func() { c.Advance(time.Hour) })
	}
	<-under
	close(finish)
	moves.Wait()
	if passed := c.Now().Sub(epoch); passed != 2*time.Hour {
		t.Errorf("two moves of an hour at once were %v", passed)
	}
}

// movedMeanwhile is a clock that somebody moves between the first look at it and what is done then.
type movedMeanwhile struct {
	*Moving
	by time.Duration
}

func (m *movedMeanwhile) Now() time.Time {
	now := m.Moving.Now()
	if by := m.by; by > 0 {
		m.by = 0
		m.Advance(by)
	}
	return now
}

func TestAMoveDoesNotMakeAnInstantLate(t *testing.T) {
	c := &movedMeanwhile{Fixed(epoch), 10 * time.Second}
	passed := make(chan time.Time, 1)
	At(c, epoch.Add(30*time.Second), func() { passed <- c.Moving.Now() })
	c.Advance(20 * time.Second)
	select {
	case at := <-passed:
		if !at.Equal(epoch.Add(30 * time.Second)) {
			t.Errorf("it was called at %v, want 30 s after %v", at, epoch)
		}
	case <-time.After(10 * time.Second):
		t.Error("it is not called at its instant")
	}
}

func TestSleepUntil(t *testing.T) {
	c := Fixed(epoch)
	if err := SleepUntil(t.Context(), c, epoch); err != nil {
		t.Errorf("an instant that has come: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := SleepUntil(ctx, c, epoch.Add(time.Second)); err != context.Canceled {
		t.Errorf("a context that has ended: %v", err)
	}
}
