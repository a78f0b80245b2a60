package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newClock is `devstack clock`.
func newClock() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "Show the stack's clock, or move it forward",
		RunE:  func(cmd *cobra.Command, _ []string) error { return moveClock(cmd, "") },
	}
	advance := &cobra.Command{
		Use:   "advance DURATION",
		Short: "Move the clock forward (90s, 1h30m): time-to-live, waits and expiry follow",
		RunE:  func(cmd *cobra.Command, args []string) error { return moveClock(cmd, args[0]) },
	}
	withJSON(cmd)
	withJSON(advance)
	cmd.AddCommand(advance)
	return cmd
}

func moveClock(cmd *cobra.Command, by string) error {
	method, query := "GET", url.Values{}
	if by != "" {
		if d, err := time.ParseDuration(by); err != nil || d < 0 || d > maxOffset {
			return wrong("%q is not a duration forward, like 90s or 1h30m, of at most a hundred years", by)
		}
		method = "POST"
		query.Set("advance", by)
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	var r clockReport
	if err := c.call(cmd.Context(), method, "/clock", query, nil, &r); err != nil {
		return err
	}
	if asJSON(cmd) {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s, %s ahead\n", r.Now.Format(time.RFC3339), r.Offset.Round(time.Second))
	return nil
}

// offsetFile keeps how far a stack's clock was moved: its tables and timers live in that time, and must not be thrown back.
func offsetFile(dir string) string { return filepath.Join(dir, stateDir, "clock") }

// maxOffset is how far ahead a clock may be. The protocols' own instants end not much later.
const maxOffset = 100 * 365 * 24 * time.Hour

// advance moves the clock forward, once it is written down that it was.
func (d *daemon) advance(by time.Duration) error {
	d.moving.Lock()
	defer d.moving.Unlock()
	offset := d.clock.Offset() + by
	if offset > maxOffset {
		return fmt.Errorf("the clock would be %s ahead, which is more than a hundred years; `devstack reset` sets it back", offset.Round(time.Second))
	}
	if !d.options.ephemeral {
		if err := replaceFile(offsetFile(d.dir), []byte(offset.String()+"\n")); err != nil {
			return fmt.Errorf("the clock was not moved: %w", explain(err))
		}
	}
	d.clock.Advance(by)
	return nil
}

// replaceFile writes a file of the stack's state. The old one stays whole until the new one is: a full disk leaves no half.
func replaceFile(path string, content []byte) error {
	tmp := path + ".new"
	err := os.WriteFile(tmp, content, 0o600)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// readOffset returns what keepOffset wrote, zero if nothing was.
func readOffset(dir string) (time.Duration, error) {
	b, err := os.ReadFile(offsetFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	var offset time.Duration
	if err == nil {
		offset, err = time.ParseDuration(strings.TrimSpace(string(b[:min(len(b), 40)])))
	}
	if err != nil {
		return 0, fmt.Errorf("%s is damaged (%v); delete it, and the clock is the machine's again", offsetFile(dir), err)
	}
	return min(max(offset, 0), maxOffset), nil
}
