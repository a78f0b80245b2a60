package main

import (
	"strings"
	"testing"
	"time"
)

func TestBatchesAreWhatOneCallCarries(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	long := strings.Repeat("x", maxBytes/3)
	var lines []shipped
	for i := range 4 {
		lines = append(lines, shipped{place{}, "g", "long", at(9 - i), long}) // the latest first
	}
	for i := range maxEvents + 1 {
		lines = append(lines, shipped{place{}, "g", "many", at(i), "x"})
	}
	lines = append(lines, shipped{place{}, "g", "huge", at(0), long + long + long + long})
	var got []string
	total := 0
	for _, batch := range batches(lines) {
		got = append(got, batch[0].stream)
		total += len(batch)
		size := 0
		for i, l := range batch {
			size += len(l.text) + perEvent
			if l.stream != batch[0].stream || i > 0 && l.at.Before(batch[i-1].at) {
				t.Errorf("line %d of a batch of %s is of %s at %v", i, batch[0].stream, l.stream, l.at)
			}
		}
		if len(batch) > maxEvents || len(batch) > 1 && size > maxBytes {
			t.Errorf("a batch has %d events of %d bytes", len(batch), size)
		}
	}
	if want := "long long many many huge"; strings.Join(got, " ") != want || total != len(lines) {
		t.Errorf("batches of %v with %d of %d lines, want %s", got, total, len(lines), want)
	}
}
