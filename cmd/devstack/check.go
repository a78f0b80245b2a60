package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"devstack/runtime/config"
)

// newValidate is `devstack validate`.
func newValidate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the stack's files without running anything",
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := readStack(cmd)
			var bad config.Diagnostics
			if asJSON(cmd) && (err == nil || errors.As(err, &bad)) {
				if bad == nil {
					bad = config.Diagnostics{}
				}
				if encodeErr := json.NewEncoder(cmd.OutOrStdout()).Encode(bad); encodeErr != nil || err == nil {
					return encodeErr
				}
				return &exit{exitConfiguration, errors.New("")} // it has been said
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d resources, no mistakes\n", stack.Name, len(stack.Resources))
			return nil
		},
	}
	withJSON(cmd)
	withVars(cmd)
	return cmd
}

// newFmt is `devstack fmt`.
func newFmt() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fmt",
		Short: "Write the stack's files in the canonical layout",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := stackDir(cmd)
			if err != nil {
				return err
			}
			check, _ := cmd.Flags().GetBool("check")
			files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
			if err != nil {
				return err
			}
			changed := 0
			for _, path := range files {
				was, err := formatFile(path, !check)
				if err != nil {
					return err
				}
				if was {
					changed++
					fmt.Fprintln(cmd.OutOrStdout(), filepath.Base(path))
				}
			}
			if check && changed > 0 {
				return fmt.Errorf("%d files are not in the canonical layout; `devstack fmt` writes them so", changed)
			}
			return nil
		},
	}
	cmd.Flags().Bool("check", false, "only list the files that would change, and fail if there are any")
	return cmd
}

// formatFile formats one file and reports whether that changes it.
func formatFile(path string, write bool) (changed bool, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	out, err := config.Format(filepath.Base(path), src)
	if err != nil || bytes.Equal(src, out) {
		return false, err
	}
	if !write {
		return true, nil
	}
	// The old file stays whole until the new one is.
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, out, 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(tmp, path)
}

// newGraph is `devstack graph`.
func newGraph() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Print which resource needs which, in Graphviz's language",
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := readStack(cmd)
			if err != nil {
				return err
			}
			g := config.Graph(stack)
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(g)
			}
			fmt.Fprint(cmd.OutOrStdout(), g.DOT())
			return nil
		},
	}
	withJSON(cmd)
	withVars(cmd)
	return cmd
}
