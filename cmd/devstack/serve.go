package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

// defaultPort is where tools look for an emulated AWS.
const defaultPort = 4566

// newServe is `devstack serve`.
func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the emulated AWS alone, without a stack",
		RunE: func(cmd *cobra.Command, _ []string) error {
			port, _ := cmd.Flags().GetInt("port")
			if port < 0 || port > 65535 {
				return wrong("--port takes a number from 0 to 65535, and not %d", port)
			}
			ephemeral, _ := cmd.Flags().GetBool("ephemeral")
			dir, err := cmd.Flags().GetString("dir")
			if err == nil {
				dir, err = filepath.Abs(dir)
			}
			if err != nil {
				return err
			}
			if !ephemeral {
				release, _, err := lock(dir, time.Now(), false)
				if err != nil {
					return err
				}
				defer release()
			}
			return serve(cmd.Context(), cmd.OutOrStdout(), dir, port, ephemeral)
		},
	}
	cmd.Flags().Int("port", defaultPort, "loopback `port` to listen on; 0 for a free one")
	cmd.Flags().Bool("ephemeral", false, "leave nothing behind")
	return cmd
}

// serve answers as AWS on a port until ctx ends.
func serve(ctx context.Context, w io.Writer, dir string, port int, ephemeral bool) error {
	clk := clock.System()
	ring := trace.NewRing(maxSpans, clk.Now)
	app := &serving{clock: clk, out: w}
	if !ephemeral {
		app.dir = dir
	}
	l, err := listen(port, "the AWS endpoint", "choose another with --port, or stop the other program")
	if err != nil {
		return err
	}
	cloud := emulators.Open(emulators.Config{
		Dir: filepath.Join(dir, stateDir, "data"), Ephemeral: ephemeral, Clock: clk, Traces: ring, Version: version(), Functions: app.functions(),
		Port: l.Addr().(*net.TCPAddr).Port, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	server := &http.Server{
		Handler: doors{allows: cloud.AllowsOrigin}.guard(cloud), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ring.Context(context.Background()) },
	}
	app.cloud, app.endpoint = cloud, l.Addr()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(w, "AWS on http://%s\n", l.Addr())
	if err := cloud.Resume(ctx); err != nil {
		fmt.Fprintln(w, "not everything of the last run goes on:", err)
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		err = server.Close()
	}
	return errors.Join(err, app.close(), cloud.Close())
}
