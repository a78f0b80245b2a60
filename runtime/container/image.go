package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// BuildError is a mistake in a Dockerfile or in what it runs. What the build printed is in the logs.
type BuildError struct {
	Dir  string
	Text string // the engine's message
}

// Error names the folder and says what went wrong.
func (e *BuildError) Error() string { return fmt.Sprintf("build %s: %s", e.Dir, e.Text) }

// Build builds the image of a folder with a Dockerfile and returns its id. Builds of one resource that are asked for at
// the same time are one. The resource's earlier images, unless a container still uses them, are deleted.
func (e *Engine) Build(ctx context.Context, resource, dir string) (string, error) {
	key := resource + " " + dir
	built := e.builds.DoChan(key, func() (any, error) { return e.build(ctx, resource, dir) })
	select {
	case r := <-built:
		id, _ := r.Val.(string)
		return id, r.Err
	case <-ctx.Done():
		e.builds.Forget(key) // what is asked for next must not be the build that was given up
		return "", ctx.Err()
	}
}

func (e *Engine) build(ctx context.Context, resource, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil {
		return "", &BuildError{dir, "there is no Dockerfile in it"}
	}
	c, err := e.connect(ctx)
	if err != nil {
		return "", err
	}
	source := buildContext(ctx, dir)
	defer source.Close()
	labels := e.labels(resource)
	delete(labels, labelOwner) // a new one each time would undo the cache
	resp, err := c.ImageBuild(ctx, source, build.ImageBuildOptions{
		Tags:    []string{imageName(e.conf.Stack, resource)},
		Labels:  labels,
		Remove:  true,
		Version: build.BuilderV1,
	})
	if err != nil {
		return "", &BuildError{dir, err.Error()}
	}
	defer resp.Body.Close()
	output := e.conf.Logs.StreamWriter(resource, "build")
	defer output.Close()
	id, err := progress(resp.Body, output)
	if err != nil {
		return "", &BuildError{dir, err.Error()}
	}
	if id == "" {
		return "", &BuildError{dir, "the engine named no image"}
	}
	c.ImagesPrune(ctx, filters.NewArgs( // a matter of disk space only
		filters.Arg("dangling", "true"),
		filters.Arg("label", labelDir+"="+e.conf.Dir),
		filters.Arg("label", labelResource+"="+resource),
	))
	return id, nil
}

// imageName is the tag of a resource's image: devstack/shop-service.catalog.
func imageName(stack, resource string) string {
	return "devstack/" + strings.ToLower(notInNames.ReplaceAllString(stack+"-"+resource, "_"))
}

// Pull makes sure that the engine has an image.
func (e *Engine) Pull(ctx context.Context, resource, ref string) error {
	c, err := e.connect(ctx)
	if err != nil {
		return err
	}
	if _, err := c.ImageInspect(ctx, ref); err == nil {
		return nil
	} else if !errdefs.IsNotFound(err) {
		return fmt.Errorf("look for image %s: %w", ref, err)
	}
	body, err := c.ImagePull(ctx, ref, image.PullOptions{})
	if err != nil {
		return pullError(ref, err)
	}
	defer body.Close()
	output := e.conf.Logs.StreamWriter(resource, "build")
	defer output.Close()
	if _, err := progress(body, output); err != nil {
		return pullError(ref, err)
	}
	return nil
}

func pullError(ref string, err error) error {
	return fmt.Errorf("image %s is not here and cannot be pulled (docker pull it first if it needs a login): %w", ref, err)
}

// message is one of those that an engine sends while it builds or pulls.
type message struct {
	Stream   string          `json:"stream"`
	Status   string          `json:"status"`
	ID       string          `json:"id"`
	Progress json.RawMessage `json:"progressDetail"`
	Error    string          `json:"error"`
	Aux      struct{ ID string }
}

// progress copies what an engine says into the log and returns the id of the image that came of it, if it names one.
func progress(body io.Reader, output io.Writer) (id string, err error) {
	dec := json.NewDecoder(body)
	for {
		var m message
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return id, nil
		} else if err != nil {
			return "", fmt.Errorf("the engine's answer broke off: %w", err)
		}
		switch {
		case m.Error != "":
			return "", errors.New(m.Error)
		case m.Stream != "":
			io.WriteString(output, m.Stream)
		case m.Status != "" && len(m.Progress) <= len("{}"): // not the bars
			io.WriteString(output, strings.TrimSpace(m.ID+" "+m.Status)+"\n")
		case m.Aux.ID != "":
			id = m.Aux.ID
		}
	}
}
