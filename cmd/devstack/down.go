package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// newDown is `devstack down`.
func newDown() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the running stack; its data stays",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := stackDir(cmd)
			if err != nil {
				return err
			}
			c, err := connectTo(dir)
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), "POST", "/down", nil, nil, nil); err != nil {
				return err
			}
			return awaitEnd(cmd.Context(), dir, 2*stopWithin)
		},
	}
}

// awaitEnd returns when nobody holds the stack any more.
func awaitEnd(ctx context.Context, dir string, atMost time.Duration) error {
	h, _ := readHolder(dir) // while it is there
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for held(dir) {
		select {
		case <-ctx.Done():
			return &exit{exitTimeout, fmt.Errorf("the stack has not ended within %s; `kill -9 %d` ends it, and its data stays", atMost, h.PID)}
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// newReset is `devstack reset`.
func newReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Empty all services: tables, executions, logs in CloudWatch, and the clock",
		Long:  "Empty all services of the stack. A running stack begins anew; one that does not run does so when it is next started.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := stackDir(cmd)
			if err != nil {
				return err
			}
			c, err := connectTo(dir)
			if errors.Is(err, errNotRunning) {
				return wipe(dir)
			} else if err != nil {
				return err
			}
			var before report
			if err := c.call(cmd.Context(), "GET", "/status", nil, nil, &before); err != nil {
				return err
			}
			if err := c.call(cmd.Context(), "POST", "/reset", nil, nil, nil); err != nil {
				return err
			}
			r, err := awaitDaemon(cmd.Context(), dir, nil, before.Started, true)
			if err != nil {
				return err
			}
			return notReady(r, true)
		},
	}
}

// wipe removes what the services of a stack hold. Ports and stream labels stay, because the stack's URLs should.
func wipe(dir string) error {
	for _, path := range []string{filepath.Join(dir, stateDir, "data"), recordsFile(dir), offsetFile(dir)} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	return nil
}
