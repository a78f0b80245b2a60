package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

// newInvoke is `devstack invoke`.
func newInvoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "invoke NAME [EVENT]",
		Short: "Run a function with an event and print what it returns",
		Long:  "Run a function with an event (JSON, default {}; - reads it from standard input) and print what it returns. Its log goes to\nstandard error. The exit code is 1 if the function failed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			payload := []byte("{}")
			if len(args) == 2 {
				payload = []byte(args[1])
			}
			if string(payload) == "-" {
				var err error
				if payload, err = io.ReadAll(os.Stdin); err != nil {
					return err
				}
			}
			if !json.Valid(payload) {
				return wrong("the event is not JSON: %s", clipLine(string(payload), 60))
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var out invoked
			if err := c.call(cmd.Context(), "POST", "/invoke/"+url.PathEscape(args[0]), nil, payload, &out); err != nil {
				return err
			}
			cmd.ErrOrStderr().Write(out.Log)
			fmt.Fprintln(cmd.OutOrStdout(), string(out.Payload))
			if out.Failed {
				return &exit{exitFailure, errors.New("")} // the payload says why
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = resourceNames("function")
	return cmd
}
