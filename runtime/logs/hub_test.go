package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"devstack/internal/clock"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func texts(lines []Line) string {
	var all []string
	for _, l := range lines {
		if l.Lost > 0 {
			all = append(all, fmt.Sprintf("(%d lost)", l.Lost))
			continue
		}
		all = append(all, l.Text)
	}
	return strings.Join(all, "|")
}

func TestWriterCutsLines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes []string
		want   string
	}{
		{"whole lines", []string{"a\nb\n"}, "a|b"},
		{"a line in pieces", []string{"a", "b", "c\nd\n"}, "abc|d"},
		{"an end without a newline", []string{"a\nb"}, "a|b"},
		{"an empty line", []string{"a\n\nb\n"}, "a||b"},
		{"a carriage return", []string{"a\r\nb\n"}, "a|b"},
		{"a line as long as one may be", []string{"12345678\n"}, "12345678"},
		{"a longer one is split", []string{"123456789\n"}, "12345678|9"},
		{"a long one in pieces is split", []string{"12345", "6789012", "345678\n"}, "12345678|90123456|78"},
		{"nothing", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := New("", Options{MaxLine: 8})
			w := h.Writer("s")
			for _, s := range tt.writes {
				if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
					t.Fatal(n, err)
				}
			}
			w.Close()
			if got := texts(h.Tail("s", 10)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTail(t *testing.T) {
	c := clock.Fixed(epoch)
	h := New("", Options{Clock: c})
	for n := range 5 {
		h.Append("a", Line{Text: fmt.Sprint("a", n), Stream: "stdout", RequestID: "r"})
		h.Say("b", fmt.Sprint("b", n))
		c.Advance(time.Second)
	}
	for _, tt := range []struct {
		name string
		n    int
		want string
	}{
		{"a", 2, "a3|a4"}, {"a", 0, ""}, {"a", 100, "a0|a1|a2|a3|a4"}, {"unknown", 5, ""}, {"", 3, "b3|a4|b4"},
	} {
		if got := texts(h.Tail(tt.name, tt.n)); got != tt.want {
			t.Errorf("the last %d of %q: %q, want %q", tt.n, tt.name, got, tt.want)
		}
	}
	first := h.Tail("a", 5)[0]
	if want := (Line{Time: epoch, Source: "a", Stream: "stdout", Text: "a0", RequestID: "r"}); first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	h := New("", Options{Memory: 10 << 10})
	for n := range 10_000 {
		h.Append("a", Line{Text: fmt.Sprint("line ", n)})
	}
	if got := len(h.Tail("a", 1<<30)); got == 0 || got > 10<<10/perLine {
		t.Errorf("%d lines are kept", got)
	}
	if got := texts(h.Tail("a", 1)); got != "line 9999" {
		t.Errorf("the last is %q", got)
	}
	h.Append("a", Line{Text: strings.Repeat("x", 20<<10)})
	if got := len(h.Tail("a", 10)); got != 1 {
		t.Errorf("%d lines beside one that is longer than all the memory", got-1)
	}
}

func TestSubscribers(t *testing.T) {
	h := New("", Options{Backlog: 3})
	h.Append("a", Line{Text: "before"})
	ctx, cancel := context.WithCancel(t.Context())
	only := h.Subscribe(ctx, []string{"a"})
	tail, all := h.Follow(ctx, nil, 10)
	if got := texts(tail); got != "before" {
		t.Errorf("tail %q", got)
	}
	h.Append("b", Line{Text: "b1"})
	h.Append("a", Line{Text: "a1"})
	if got := <-only; got.Text != "a1" {
		t.Errorf("who asked for a got %+v", got)
	}
	if got := texts([]Line{<-all, <-all}); got != "b1|a1" {
		t.Errorf("who asked for all got %q", got)
	}
	cancel()
	for range only {
	}
	for range all {
	}
	h.Append("a", Line{Text: "nobody listens"})
	if len(h.readers) != 0 {
		t.Error("readers that left are still served")
	}
}

func TestSlowReaderIsToldWhatItLost(t *testing.T) {
	h := New("", Options{Backlog: 10})
	lines := h.Subscribe(t.Context(), nil)
	const sent = 1000
	for n := range sent {
		h.Append("a", Line{Text: fmt.Sprint(n)}) // never waits for the reader, who has not begun
	}
	got, lost := 0, 0
	for got+lost < sent {
		l := <-lines
		if l.Lost > 0 {
			lost += l.Lost
			continue
		}
		if l.Text != fmt.Sprint(got+lost) {
			t.Fatalf("after %d lines and %d lost comes %q", got, lost, l.Text)
		}
		got++
	}
	if lost == 0 {
		t.Error("nothing was lost, so nothing was tested")
	}
	h.Append("a", Line{Text: "after"})
	if l := <-lines; l.Text != "after" {
		t.Errorf("then comes %+v", l)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	h := New(t.TempDir(), Options{Disk: 64 << 10})
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 3 {
		_, lines := h.Follow(ctx, nil, 5)
		readers.Go(func() {
			for range lines {
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			for n := range 500 {
				h.Append(fmt.Sprint("source", w%2), Line{Text: fmt.Sprint(w, n)})
				h.Tail("", 3)
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
	if got := len(h.Tail("source0", 1000)); got == 0 {
		t.Error("nothing is left")
	}
}

func TestDiskSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	c := clock.Fixed(epoch)
	h := New(dir, Options{Clock: c})
	for n := range 3 {
		h.Append("service.a/b", Line{Text: fmt.Sprint("old ", n), Stream: "stderr", RequestID: "r"})
	}
	h.source("service.a/b").settle()
	// The process is killed: nothing is closed, and one line is torn.
	path := filepath.Join(dir, "service.a%2Fb.log")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"time":"2026-01-02T03:04:05Z","source":"service.a/b","te`)
	f.Close()

	h = New(dir, Options{Clock: c})
	defer h.Close()
	if got := h.Sources(); len(got) != 1 || got[0] != "service.a/b" {
		t.Errorf("sources %q", got)
	}
	h.Append("service.a/b", Line{Text: "new"})
	if got := texts(h.Tail("service.a/b", 10)); got != "old 0|old 1|old 2|new" {
		t.Errorf("got %q", got)
	}
	if got, want := h.Tail("service.a/b", 10)[0], (Line{Time: epoch, Source: "service.a/b", Stream: "stderr", Text: "old 0", RequestID: "r"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	again := New(dir, Options{})
	if got := texts(again.Tail("service.a/b", 2)); got != "old 2|new" {
		t.Errorf("the line after the torn one: %q", got)
	}
}

func TestDiskIsBoundedAndHoldsMoreThanMemory(t *testing.T) {
	dir := t.TempDir()
	h := New(dir, Options{Memory: 1 << 10, Disk: 32 << 10})
	defer h.Close()
	for n := range 5000 {
		h.Append("a", Line{Text: fmt.Sprint("line ", n)})
	}
	h.source("a").settle()
	size := int64(0)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if len(entries) != 2 || size > 33<<10 {
		t.Errorf("%d files of %d bytes", len(entries), size)
	}
	lines := h.Tail("a", 100)
	if len(lines) != 100 || lines[0].Text != "line 4900" || lines[99].Text != "line 4999" {
		t.Errorf("%d lines, %q to %q", len(lines), lines[0].Text, lines[len(lines)-1].Text)
	}
}

func TestFullDiskStopsNothing(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs /dev/full")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	var warnings []error
	c := clock.Fixed(epoch)
	h := New(dir, Options{Clock: c, Warn: func(err error) { warnings = append(warnings, err) }})
	defer h.Close()
	for n := range 10 {
		h.Append("a", Line{Text: fmt.Sprint(n)})
		h.source("a").settle()
		c.Advance(retry / 2)
	}
	if len(warnings) != 1 || !errors.Is(warnings[0], syscall.ENOSPC) {
		t.Errorf("warnings %v, want one", warnings)
	}
	if got := texts(h.Tail("a", 100)); got != "0|1|2|3|4|5|6|7|8|9" {
		t.Errorf("got %q", got)
	}
	// There is room again.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.Advance(retry)
	h.Append("a", Line{Text: "10"})
	h.source("a").settle()
	if got := texts(New(dir, Options{}).Tail("a", 100)); got != "10" {
		t.Errorf("on disk is %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","source":"a","text":"b"}` + "\n{"))
	f.Add([]byte("\n\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { parse(b) })
}

// settle waits until the source's lines are on the disk.
func (s *source) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
}
