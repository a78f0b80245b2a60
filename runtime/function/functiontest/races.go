package functiontest

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"devstack/runtime/function"
)

// races saves again and again while requests come from all sides. Each request notes the last version that was wholly
// saved before it began: an older answer is stale. Every tenth version does not build.
func races(t *testing.T, p *Project) {
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	var begun, saved atomic.Int64 // versions: whose save has begun, whose save has returned
	begun.Store(1)
	saved.Store(1)
	ask := func() {
		oldest := saved.Load()
		out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(`{"do":"version"}`)})
		newest := begun.Load()
		if err != nil {
			t.Errorf("version %d to %d: %v", oldest, newest, err)
			return
		}
		judge(t, p.Sample, out, oldest, newest)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					ask()
					rest()
				}
			}
		})
	}
	for n := int64(2); n < int64(saves(p.Sample))+2 && !t.Failed(); n++ {
		begun.Store(n)
		if isBroken(n) {
			p.Save(t, strconv.FormatInt(n, 10), p.Sample.Broken)
		} else {
			p.Save(t, strconv.FormatInt(n, 10))
		}
		saved.Store(n)
		if rand.IntN(2) == 0 {
			ask()
		}
		rest()
	}
	close(stop)
	wg.Wait()
}

// judge compares an answer with the versions that it may be of.
func judge(t *testing.T, sample Sample, out *function.Outcome, oldest, newest int64) {
	if out.FunctionError != "" {
		// A file that was being written may have been read half, and a version that does not build says so.
		if oldest == newest && !isBroken(oldest) {
			t.Errorf("version %d was saved and good, and the answer is %s", oldest, out.Payload)
		}
		return
	}
	var text string
	if err := json.Unmarshal(out.Payload, &text); err != nil {
		t.Errorf("answered %s", out.Payload)
		return
	}
	got, err := strconv.ParseInt(text, 10, 64)
	if err != nil || got < oldest || got > newest || isBroken(got) {
		t.Errorf("stale: answered version %q of %s, want one from %d to %d", text, sample.Runtime, oldest, newest)
	}
}

func isBroken(n int64) bool { return n%10 == 7 }

// rest lets some time pass, often none.
func rest() {
	if d := rand.IntN(4); d > 0 {
		time.Sleep(time.Duration(rand.Int64N(int64(d) * int64(time.Millisecond))))
	}
}

// saves is how many saves the race test makes: DEVSTACK_RACES, or the sample's number, or 1,000; a tenth of it under the
// race detector.
func saves(sample Sample) int {
	if n, err := strconv.Atoi(os.Getenv("DEVSTACK_RACES")); err == nil && n > 0 {
		return n
	}
	n := sample.Races
	if n == 0 {
		n = 1000
	}
	if detector {
		n = max(n/10, min(n, 10))
	}
	return n
}
