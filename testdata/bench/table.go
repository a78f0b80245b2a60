package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	what      string
	figure    string
	reference string  // measured in the same run; "" if nothing compares
	ratio     float64 // of the figure to the reference; 0 if nothing compares
	budget    string  // "" for a row that only informs
	missed    bool
}

// verdict is "" where there is no budget.
func (r row) verdict() string {
	switch {
	case r.budget == "":
		return ""
	case r.missed:
		return "MISSED"
	}
	return "ok"
}

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tfigure\treference\tratio\tbudget\t")
	for _, r := range rows {
		ratio := ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		fmt.Fprintln(t, strings.Join([]string{r.what, r.figure, r.reference, ratio, r.budget, r.verdict()}, "\t"))
	}
	t.Flush()
}

// quantile returns the value below which a share of the values lie.
func quantile[T cmp.Ordered](values []T, share float64) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// ratios divides what was measured in the same round.
func ratios[T int | float64 | time.Duration](subject, reference []T) []float64 {
	out := make([]float64, min(len(subject), len(reference)))
	for i := range out {
		out[i] = float64(subject[i]) / float64(reference[i])
	}
	return out
}

// ms writes a time in milliseconds.
func ms(d time.Duration) string {
	v := float64(d) / float64(time.Millisecond)
	if v < 10 {
		return fmt.Sprintf("%.2f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

// us writes a time in microseconds.
func us(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

func mib(bytes int) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
