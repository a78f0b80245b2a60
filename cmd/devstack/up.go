package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"devstack/runtime/config"
	"devstack/runtime/supervise"
)

// stopWithin is how long a stack may take to end in peace.
const stopWithin = 10 * time.Second

// newUp is `devstack up`.
func newUp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the stack: everything in stack.hcl, until Ctrl-C",
		Long: "Run the stack: everything in stack.hcl, until Ctrl-C. What is saved is live at the next request.\n\n" +
			"With --detach it runs in the background; --wait then returns when everything is ready, with exit code 3 if something\ncannot be and 4 if it takes too long.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ephemeral, _ := cmd.Flags().GetBool("ephemeral")
			wait, _ := cmd.Flags().GetDuration("wait")
			detach, _ := cmd.Flags().GetBool("detach")
			switch {
			case wait < 0, wait == 0 && cmd.Flags().Changed("wait"):
				return wrong("--wait takes a duration above zero, like 30s, and not %s", wait)
			case wait > 0 && !detach:
				return wrong("--wait goes with --detach: without it, `devstack up` stays")
			}
			values, _ := cmd.Flags().GetStringArray("debug")
			debug, err := parseDebugged(values)
			if err != nil {
				return err
			}
			launches, _ := cmd.Flags().GetBool("launch-json")
			if launches && len(debug) == 0 {
				return wrong("--launch-json goes with --debug: it tells VS Code of the functions that are debugged")
			}
			dir, err := stackDir(cmd)
			if err != nil {
				return err
			}
			if detach {
				return upDetached(cmd, dir, wait)
			}
			return up(cmd.Context(), cmd.OutOrStdout(), dir, daemonOptions{ephemeral: ephemeral, vars: vars(cmd), debug: debug, launches: launches})
		},
	}
	cmd.Flags().BoolP("detach", "d", false, "run in the background")
	cmd.Flags().Duration("wait", 0, "with --detach: return when everything is ready, at most after this `time`")
	cmd.Flags().Bool("ephemeral", false, "begin with empty services and leave nothing behind")
	cmd.Flags().StringArray("debug", nil, "open a debugger's port for the function `NAME`, or NAME=PORT; may be repeated")
	cmd.Flags().Bool("launch-json", false, "with --debug: write how VS Code attaches into .vscode/launch.json")
	withVars(cmd)
	return cmd
}

// up runs the stack in this process until ctx ends or somebody says `devstack down`.
func up(ctx context.Context, w io.Writer, dir string, o daemonOptions) error {
	release, h, err := lock(dir, time.Now(), true)
	if err != nil {
		return err
	}
	defer release()
	for {
		again, err := oneLife(ctx, w, dir, h, o)
		if err != nil || !again {
			return err
		}
		if err := wipe(dir); err != nil {
			return err
		}
	}
}

// oneLife is one life of the daemon. again is true if it ended to begin anew with empty services.
func oneLife(ctx context.Context, w io.Writer, dir string, h holder, o daemonOptions) (again bool, err error) {
	began := time.Now()
	if !o.ephemeral {
		if o.offset, err = readOffset(dir); err != nil {
			return false, err
		}
	}
	d, err := openDaemon(dir, o)
	if err != nil {
		return false, err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	reset := make(chan struct{}, 1)
	c := &control{d: d, pid: h.PID, started: began, down: end, restart: func() {
		select {
		case reset <- struct{}{}:
		default: // somebody else has asked already
		}
		end()
	}}
	defer func() {
		stopping, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		err = errors.Join(err, d.close(stopping))
	}()
	stop, err := serveControl(h.Socket, c)
	if err != nil {
		return false, err
	}
	defer stop()
	if err := d.start(ctx); err != nil {
		return false, err
	}
	if err := bringUp(ctx, w, d, c, began); err != nil {
		return false, err
	}
	printLogs(ctx, w, d)
	select {
	case <-reset:
		return true, nil
	default:
		fmt.Fprintln(w, "stopping; Ctrl-C again ends it at once, and no data is lost")
		return false, nil
	}
}

// slowAfter is how long a start is silent about what takes long: packages that are installed, an image that is built.
const slowAfter = 3 * time.Second

// bringUp applies the stack for the first time and tells how it goes. Only a stack that cannot be read is an error: what did not
// start is tried again, and the rest serves.
func bringUp(ctx context.Context, w io.Writer, d *daemon, c *control, began time.Time) error {
	screen := newScreen(w)
	watching, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	updates := d.sup.Subscribe(watching)
	told := map[config.ID]bool{}
	tell := func(s supervise.Status) {
		if s.State == supervise.Ready && !told[s.ID] {
			told[s.ID] = true
			screen.ready(s)
		}
	}
	telling.Go(func() {
		slow := time.NewTicker(slowAfter)
		defer slow.Stop()
		for {
			select {
			case s, ok := <-updates:
				if !ok {
					return
				}
				d.correct(&s)
				tell(s)
			case <-slow.C:
				screen.starting(d.status(), time.Since(began))
			}
		}
	})
	err := d.apply(ctx)
	cancel()
	telling.Wait()
	for _, s := range d.status() {
		tell(s) // the subscription may have ended before the last of its news
	}
	if ctx.Err() != nil {
		return nil
	}
	var notReady *supervise.NotReadyError
	if err != nil && !errors.As(err, &notReady) && !errors.Is(err, errOvertaken) {
		return err
	}
	screen.summary(c.report(), time.Since(began))
	if d.options.launches {
		return writeLaunches(w, d.current(), d.dir)
	}
	return nil
}

// upDetached starts `devstack up` as a process of its own.
func upDetached(cmd *cobra.Command, dir string, wait time.Duration) error {
	if held(dir) {
		h, _ := readHolder(dir)
		return &errHeld{h, dir}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, stateDir, "daemon.log")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := fmt.Fprintf(out, "devstack up, %s\n", time.Now().Format(time.DateTime)); err != nil {
		return err // a full disk: what the daemon has to say would be lost
	}
	args := []string{"up", "--dir", dir}
	if ephemeral, _ := cmd.Flags().GetBool("ephemeral"); ephemeral {
		args = append(args, "--ephemeral")
	}
	debug, _ := cmd.Flags().GetStringArray("debug")
	for _, v := range debug {
		args = append(args, "--debug", v)
	}
	if launches, _ := cmd.Flags().GetBool("launch-json"); launches {
		args = append(args, "--launch-json")
	}
	for k, v := range vars(cmd) {
		args = append(args, "--var", k+"="+v)
	}
	child := exec.Command(self, args...)
	child.Stdout, child.Stderr = out, out
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	if err := awaitLock(cmd.Context(), dir, ended); err != nil {
		return detachedError(err, path)
	}
	ctx, cancel := cmd.Context(), context.CancelFunc(func() {})
	if wait > 0 {
		ctx, cancel = context.WithTimeout(ctx, wait)
	}
	defer cancel()
	r, err := awaitDaemon(ctx, dir, ended, time.Time{}, wait > 0)
	if err != nil {
		return detachedError(err, path)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s runs as process %s, AWS on %s\n", r.Stack, strconv.Itoa(r.PID), r.Endpoint)
	return notReady(r, wait > 0)
}

// awaitLock returns once a daemon that was started holds the stack: from then on `devstack down` finds it.
func awaitLock(ctx context.Context, dir string, ended <-chan error) error {
	for !held(dir) {
		select {
		case err := <-ended:
			return &endedError{err}
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// awaitDaemon asks the daemon that was started after an instant for its report until it has one, and with settled until nothing
// is starting any more.
func awaitDaemon(ctx context.Context, dir string, ended <-chan error, after time.Time, settled bool) (*report, error) {
	for {
		var r report
		c, err := connectTo(dir)
		if err == nil {
			err = c.call(ctx, "GET", "/status", nil, nil, &r)
		}
		if err == nil && r.Started.After(after) && (!settled || r.Settled && r.Applied) {
			return &r, nil
		}
		select {
		case err := <-ended:
			return nil, &endedError{err}
		case <-ctx.Done():
			why := "the daemon is still starting"
			if waiting := notReady(&r, true); err == nil && waiting != nil {
				why = waiting.Error()
			}
			return nil, &exit{exitTimeout, fmt.Errorf("not ready in time; it runs on, `devstack status` tells how it goes and `devstack down` stops it\n%s", why)}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// endedError is a detached daemon that ended while it was waited for.
type endedError struct{ err error }

func (e *endedError) Error() string { return fmt.Sprintf("the daemon ended: %v", e.err) }

// detachedError tells what a daemon that ended had printed, with its own exit code.
func detachedError(err error, logPath string) error {
	var ended *endedError
	var status *exec.ExitError
	if !errors.As(err, &ended) || !errors.As(ended.err, &status) {
		return err
	}
	out, _ := os.ReadFile(logPath)
	if code := status.ExitCode(); code > 0 {
		return &exit{code, fmt.Errorf("the daemon ended:\n%s", bytes.TrimSpace(out))}
	}
	return fmt.Errorf("the daemon ended with %v:\n%s", ended.err, bytes.TrimSpace(out))
}

// notReady is the error of a stack not all of which is ready.
func notReady(r *report, wanted bool) error {
	if !wanted {
		return nil
	}
	var errs []error
	for _, s := range unready(r.Resources) {
		text := fmt.Sprintf("%s.%s is %s", s.Type, s.Name, s.State)
		if s.State == supervise.Failed {
			text = fmt.Sprintf("%s.%s has failed", s.Type, s.Name)
		}
		if s.Why != "" {
			text += ": " + s.Why
		}
		for _, line := range s.Tail {
			text += "\n    | " + line
		}
		errs = append(errs, errors.New(text))
	}
	if len(errs) == 0 {
		return nil
	}
	return &exit{exitStart, errors.Join(errs...)}
}
