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
	"github.com/docker/docker/client"
)

// BuildError is a mistake in a Dockerfile or in what it runs. All that the build printed is in the logs.
type BuildError struct {
	Dir    string
	Text   string   // the engine's message
	Output []string // the last lines that the build printed
}

// Error names the folder and says what went wrong.
func (e *BuildError) Error() string { return fmt.Sprintf("build %s: %s", e.Dir, e.Text) }

// Build builds the image of a folder with a Dockerfile and returns its id. Builds of one resource that are asked for at
// the same time are one. The resource's earlier images, unless a container still uses them, are deleted.
func (e *Engine) Build(ctx context.Context, resource, dir string) (string, error) {
	return e.BuildBeside(ctx, resource, dir, func(string) bool { return false })
}

// BuildBeside is Build for a caller who still wants some of the resource's earlier images: those of whose ids keep says so
// are not deleted.
func (e *Engine) BuildBeside(ctx context.Context, resource, dir string, keep func(id string) bool) (string, error) {
	key := resource + " " + dir
	built := e.builds.DoChan(key, func() (any, error) { return e.build(ctx, resource, dir, keep) })
	select {
	case r := <-built:
		id, _ := r.Val.(string)
		return id, r.Err
	case <-ctx.Done():
		e.builds.Forget(key) // what is asked for next must not be the build that was given up
		return "", ctx.Err()
	}
}

func (e *Engine) build(ctx context.Context, resource, dir string, keep func(id string) bool) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil {
		return "", &BuildError{Dir: dir, Text: "there is no Dockerfile in it"}
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
	if client.IsErrConnectionFailed(err) {
		return "", fmt.Errorf("build %s: %w", dir, err)
	} else if err != nil {
		return "", &BuildError{Dir: dir, Text: err.Error()}
	}
	defer resp.Body.Close()
	output := e.conf.Logs.StreamWriter(resource, "build")
	defer output.Close()
	var last tail
	id, err := progress(resp.Body, io.MultiWriter(output, &last))
	if err == nil && id == "" {
		err = errors.New("the engine named no image")
	}
	if err != nil {
		return "", &BuildError{dir, err.Error(), last.lines()}
	}
	e.forget(ctx, c, resource, keep)
	return id, nil
}

// forget deletes those of a resource's images that have lost their name to a later one and that nobody uses. It is a matter of
// disk space only: what fails now succeeds after the next build.
func (e *Engine) forget(ctx context.Context, c *client.Client, resource string, keep func(id string) bool) {
	old, err := c.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(
		filters.Arg("dangling", "true"),
		filters.Arg("label", labelDir+"="+e.conf.Dir),
		filters.Arg("label", labelResource+"="+resource),
	)})
	if err != nil {
		return
	}
	for _, one := range old {
		if !keep(one.ID) {
			c.ImageRemove(ctx, one.ID, image.RemoveOptions{PruneChildren: true})
		}
	}
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

// tailSize is more than an error's reader wants to see.
const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(p), nil
}

// lines returns the last lines.
func (t *tail) lines() []string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return lines[max(0, len(lines)-20):]
}

// imageName is the tag of a resource's image: devstack/shop-service.catalog.
func imageName(stack, resource string) string {
	return "devstack/" + strings.ToLower(notInNames().ReplaceAllString(stack+"-"+resource, "_"))
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

// ImageID returns the id of an image that the engine has. A name may mean another image tomorrow, an id does not.
func (e *Engine) ImageID(ctx context.Context, ref string) (string, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return "", err
	}
	info, err := c.ImageInspect(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("look for image %s: %w", ref, err)
	}
	return info.ID, nil
}

// Program returns the entry point and the command of an image.
func (e *Engine) Program(ctx context.Context, ref string) (entry, command []string, err error) {
	c, err := e.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	info, err := c.ImageInspect(ctx, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("look for image %s: %w", ref, err)
	}
	if info.Config == nil {
		return nil, nil, nil
	}
	return info.Config.Entrypoint, info.Config.Cmd, nil
}

// Say puts a line about a resource into the logs.
func (e *Engine) Say(resource, text string) {
	w := e.conf.Logs.StreamWriter(resource, "build")
	io.WriteString(w, text+"\n")
	w.Close()
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
