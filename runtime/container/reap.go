package container

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
)

// Kind is what the watchdog knows our containers by; Reap is its Killer.
const Kind = "containers"

// legacy is what a daemon leaves: all containers with its mark in an engine.
type legacy struct {
	Host  string
	Owner string
}

func (l legacy) String() string {
	b, _ := json.Marshal(l) // of two strings: never fails
	return string(b)
}

// Reap removes the containers of a daemon that is gone. It runs in the watchdog, and looks several times, because the
// engine may still be carrying out what the daemon asked for last.
func Reap(ctx context.Context, what string) error {
	var l legacy
	if err := json.Unmarshal([]byte(what), &l); err != nil || l.Owner == "" {
		return fmt.Errorf("reap containers: %q is not a daemon's legacy", what)
	}
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithHost(l.Host), client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer c.Close()
	for range 5 {
		found, err := c.ContainerList(ctx, container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", labelOwner+"="+l.Owner)),
		})
		if err != nil {
			return err
		}
		for _, one := range found {
			if err := remove(ctx, c, one.ID); err != nil {
				return err
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}
