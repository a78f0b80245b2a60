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
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return moveClock(cmd, "") },
	}
	advance := &cobra.Command{
		Use:   "advance DURATION",
		Short: "Move the clock forward (90s, 1h30m): time-to-live, waits and expiry follow",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return moveClock(cmd, args[0]) },
	}
	withJSON(cmd)
	withJSON(advance)
	cmd.AddCommand(advance)
	return cmd
}

func moveClock(cmd *cobra.Command, by string) error {
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	method, query := "GET", url.Values{}
	if by != "" {
		if d, err := time.ParseDuration(by); err != nil || d < 0 {
			return &exit{exitConfiguration, fmt.Errorf("%q is not a duration forward, like 90s or 1h30m", by)}
		}
		method = "POST"
		query.Set("advance", by)
	}
	var r clockReport
	if err := c.call(cmd.Context(), method, "/clock", query, nil, &r); err != nil {
		return err
	}
	if asJSON(cmd) {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s, %s ahead\n", r.Now.Format(time.RFC3339), r.Offset.Round(time.Millisecond))
	return nil
}

// offsetFile keeps how far a stack's clock was moved: its tables and timers live in that time, and must not be thrown back.
func offsetFile(dir string) string { return filepath.Join(dir, stateDir, "clock") }

// keepOffset writes down how far the clock is ahead.
func (d *daemon) keepOffset() error {
	if d.options.ephemeral {
		return nil
	}
	return os.WriteFile(offsetFile(d.dir), []byte(d.clock.Offset().String()+"\n"), 0o600)
}

// readOffset returns what keepOffset wrote, zero if nothing was.
func readOffset(dir string) (time.Duration, error) {
	b, err := os.ReadFile(offsetFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	offset, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("%s is damaged (%w); `devstack reset` starts over", offsetFile(dir), err)
	}
	return offset, nil
}
