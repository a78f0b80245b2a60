package main

import (
	"testing"
	"time"
)

func TestRestless(t *testing.T) {
	r, now := restless{}, time.Unix(0, 0)
	said := 0
	for i := range 2 * manySaves {
		loud, first := r.loud("up.log", now.Add(time.Duration(i)*time.Second))
		if loud != (i >= manySaves) {
			t.Errorf("change %d is loud: %v", i, loud)
		}
		if first {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it is said %d times", said)
	}
	now = now.Add(2 * manySaves * time.Second)
	if loud, _ := r.loud("main.go", now); loud {
		t.Error("another file is not heard")
	}
	if loud, _ := r.loud("up.log", now.Add(noRest+time.Second)); loud {
		t.Error("after a rest it is not heard")
	}
}
