package main

import "testing"

func TestThePercentageOfCollections(t *testing.T) {
	for _, tt := range []struct {
		name string
		live uint64 // bytes
		want int
	}{
		{"nothing is live yet", 0, 400},
		{"a small heap grows to five times what is live", 10 << 20, 400},
		{"a larger one by the headroom, rounded down", 25 << 20, 250},
		{"one as large as the headroom doubles", 64 << 20, 100},
		{"none less than doubles", 500 << 20, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := percentFor(tt.live); got != tt.want {
				t.Errorf("%d%%, want %d%%", got, tt.want)
			}
		})
	}
}
