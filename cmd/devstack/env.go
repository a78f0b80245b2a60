package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"devstack/runtime/config"
)

// newEnv is `devstack env`.
func newEnv() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print what makes AWS tools speak to the stack, as exports for a shell",
		Long:  "Print what makes AWS SDKs, the AWS CLI or Terraform speak to the stack:\n\n  eval \"$(devstack env)\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := stackEnv(cmd)
			if err != nil {
				return err
			}
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(env)
			}
			for _, v := range sortedEnv(env) {
				name, value, _ := strings.Cut(v, "=")
				fmt.Fprintf(cmd.OutOrStdout(), "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
			}
			return nil
		},
	}
	withJSON(cmd)
	return cmd
}

// newExec is `devstack exec`.
func newExec() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec -- COMMAND [ARGUMENT...]",
		Short: "Run a command with AWS tools speaking to the stack",
		Long:  "Run a command with the environment of `devstack env`; none of the caller's own AWS_* variables reach it. Its exit code is\nthe command's; 127 if there is no such command, 126 if it cannot be run.",
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := stackEnv(cmd)
			if err != nil {
				return err
			}
			path, err := exec.LookPath(args[0])
			switch {
			case errors.Is(err, fs.ErrPermission):
				return &exit{126, err} // as shells do, which POSIX has them do
			case err != nil:
				return &exit{127, fmt.Errorf("there is no command %q", args[0])}
			}
			// The command takes this process's place, so that it gets its signals and its terminal, and its end is ours.
			err = syscall.Exec(path, args, append(withoutAWS(os.Environ()), sortedEnv(env)...))
			return &exit{126, fmt.Errorf("%s: %w", path, err)}
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	return cmd
}

// stackEnv is the environment of a stack: of the running one, or of the one in the files if none runs.
func stackEnv(cmd *cobra.Command) (map[string]string, error) {
	c, err := connect(cmd)
	if errors.Is(err, errNotRunning) {
		stack, err := readStack(cmd)
		if err != nil {
			return nil, err
		}
		return childEnv(stack), nil
	} else if err != nil {
		return nil, err
	}
	var r report
	if err := c.call(cmd.Context(), "GET", "/status", nil, nil, &r); err != nil {
		return nil, err
	}
	return awsEnv(r.Endpoint, r.Region, r.Account), nil
}

// readStack reads the stack's files without running anything, with the ports that it was given when it last ran.
func readStack(cmd *cobra.Command) (*config.Stack, error) {
	dir, err := stackDir(cmd)
	if err != nil {
		return nil, err
	}
	alloc, err := config.ReadAllocator(filepath.Join(dir, stateDir, "allocated.json"))
	if err != nil {
		return nil, err
	}
	type loaded struct {
		stack *config.Stack
		err   error
	}
	done := make(chan loaded, 1)
	go func() {
		stack, err := config.Load(dir, config.Options{Allocator: alloc, Vars: vars(cmd), CheckDefinition: checkDefinition, CheckSeed: checkSeed})
		done <- loaded{stack, err}
	}()
	select {
	case l := <-done:
		return l.stack, l.err
	case <-cmd.Context().Done(): // a `for` may go on for as long as it likes
		return nil, cmd.Context().Err()
	}
}

// withVars gives a command the flag --var.
func withVars(cmd *cobra.Command) {
	cmd.Flags().StringToString("var", nil, "value of a `variable`, as name=value")
}

// vars returns what --var was given.
func vars(cmd *cobra.Command) map[string]string {
	m, err := cmd.Flags().GetStringToString("var")
	if err != nil {
		return nil // the command has no such flag
	}
	return m
}

// withJSON gives a command the flag --json.
func withJSON(cmd *cobra.Command) { cmd.Flags().Bool("json", false, "print JSON") }

func asJSON(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("json")
	return err == nil && on
}
