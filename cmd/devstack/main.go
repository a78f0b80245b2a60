// Command devstack runs an AWS microservices application on one machine.
//
// This folder is the command line: a file a verb. daemon.go joins the two halves, the emulators of AWS and the runtime of
// the application, and nothing else does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/process/reap"
)

// Exit codes. They are part of the interface: scripts and CI read them.
const (
	exitFailure       = 1 // anything not below
	exitConfiguration = 2 // the stack file, the flags or the arguments are wrong
	exitStart         = 3 // a resource did not start or is not healthy
	exitTimeout       = 4 // it did not happen in the time given
)

// exit is an error that decides the exit code.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func main() {
	if len(os.Args) == 2 && os.Args[1] == reap.Verb {
		reap.Main(os.Stdin, map[string]reap.Killer{container.Kind: container.Reap})
		return
	}
	tuneMemory()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, cancel) // a second Ctrl-C ends the process at once; the watchdog ends what it had started
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out a command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	understood := false // what goes wrong before a verb begins is in the command line
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code := exitFailure
	var diagnostics config.Diagnostics
	var e *exit
	switch {
	case errors.As(err, &e):
		code = e.code
	case errors.As(err, &diagnostics), !understood:
		code = exitConfiguration
	}
	if text := explain(err).Error(); text != "" {
		if diagnostics != nil {
			fmt.Fprintln(stderr, diagnostics.Text())
		} else {
			fmt.Fprintln(stderr, "devstack:", text)
		}
	}
	return code
}

// explain adds the way out to what the operating system alone has said.
func explain(err error) error {
	var ours interface{ Public() }
	switch {
	case errors.As(err, &ours):
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: the disk is full; free some space and try again", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; the stack's state is kept in %s beside stack.hcl, which has to be writable", err, stateDir)
	}
	return err
}

// newRoot builds the command tree.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "devstack",
		Short:         "Run an AWS microservices application on this machine",
		Long:          "devstack reads stack.hcl and runs the whole application on this machine: functions, services, APIs, tables, caches\nand state machines, with AWS's own wire protocols around them. See README.md for a tour.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringP("dir", "C", ".", "`folder` of the stack, or any below it")
	root.AddCommand(
		newUp(), newDown(), newStatus(), newLogs(), newInvoke(), newEnv(), newExec(), newServe(),
		newValidate(), newFmt(), newGraph(), newReset(), newTrace(), newClock(), newVersion(),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetFlagErrorFunc(flagError)
	strict(root)
	return root
}

// stackDir returns the folder of the stack that the command is about: the nearest upward with a stack.hcl.
func stackDir(cmd *cobra.Command) (string, error) {
	from, err := cmd.Flags().GetString("dir")
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return "", wrong("there is no folder %s", from)
	}
	dir, err := config.Find(from)
	if errors.Is(err, fs.ErrNotExist) {
		from, _ = filepath.Abs(from)
		return "", wrong("there is no %s in %s or a folder above it; -C names the stack's folder", config.FileName, from)
	} else if err != nil {
		return "", &exit{exitConfiguration, err}
	}
	return dir, nil
}

// isTerminal reports whether a writer is a person's screen: colours and spinners are for nobody else.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("CI") != "" || os.Getenv("NO_COLOR") != "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
