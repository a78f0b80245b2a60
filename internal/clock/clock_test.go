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
