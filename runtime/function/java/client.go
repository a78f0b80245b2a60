package java

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"devstack/runtime/function"
)

// AWS's runtime interface client.
const (
	clientGroup   = "com.amazonaws"
	clientName    = "aws-lambda-java-runtime-interface-client"
	clientVersion = "2.10.1" // that Maven is asked for; any that is there already will do
	clientMain    = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
)

// isClient reports whether a jar is the client.
func isClient(jar string) bool { return strings.HasPrefix(filepath.Base(jar), clientName+"-") }

// client finds AWS's client, once.
type client struct {
	mu    sync.Mutex
	found []string // jars
	asked time.Time
	err   error
}

// patience is how long an answer stands that the client cannot be had: Maven takes seconds to say so.
const patience = time.Minute

// find returns the jars of the client and what it needs.
func (c *client) find(ctx context.Context) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil && exists(c.found[0]) {
		return c.found, nil
	}
	repository := localRepository()
	c.found = inRepository(repository)
	if c.found != nil {
		return c.found, nil
	}
	if c.err != nil && time.Since(c.asked) < patience { // of a tool that runs on this machine, not of an application
		return nil, c.err
	}
	c.err = fetch(ctx)
	if ctx.Err() != nil {
		c.err = nil
		return nil, ctx.Err()
	}
	c.asked = time.Now()
	if c.err == nil {
		if c.found = inRepository(repository); c.found != nil {
			return c.found, nil
		}
		c.err = fmt.Errorf("%s is not in %s, although Maven has fetched it", clientName, repository)
	}
	return nil, c.err
}

// fetch has Maven put the client into the local repository.
func fetch(ctx context.Context) error {
	const what = "a Java function is run by AWS's " + clientName + ", which is neither among the function's dependencies nor in the local Maven repository"
	const remedy = ": add the dependency " + clientGroup + ":" + clientName + ":" + clientVersion + " to the function"
	tool, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New(what + ", and there is no mvn in PATH that could fetch it" + remedy)
	}
	err = run(ctx, os.TempDir(), tool, "-q", "-B", "dependency:get", "-Dartifact="+clientGroup+":"+clientName+":"+clientVersion)
	var said *function.BuildError
	if errors.As(err, &said) {
		return errors.New(what + ", and Maven cannot fetch it" + remedy + "\n" + said.Text)
	}
	return err
}

// localRepository is where Maven keeps what it has fetched.
//
// https://maven.apache.org/settings.html
func localRepository() string {
	home := filepath.Join(os.Getenv("HOME"), ".m2")
	var settings struct {
		LocalRepository string `xml:"localRepository"`
	}
	if text, err := os.ReadFile(filepath.Join(home, "settings.xml")); err == nil && xml.Unmarshal(text, &settings) == nil && settings.LocalRepository != "" {
		return strings.NewReplacer("${user.home}", os.Getenv("HOME"), "${env.HOME}", os.Getenv("HOME")).Replace(strings.TrimSpace(settings.LocalRepository))
	}
	return filepath.Join(home, "repository")
}

// artifact is what a pom says of a dependency.
type artifact struct {
	Group   string `xml:"groupId"`
	Name    string `xml:"artifactId"`
	Version string `xml:"version"`
	Scope   string `xml:"scope"`
}

// inRepository returns the newest client in a repository whose dependencies are there too, nil if there is none.
func inRepository(repository string) []string {
	versions, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(strings.ReplaceAll(clientGroup, ".", "/")), clientName, "*"))
	if err != nil {
		return nil
	}
	var best []string
	for _, dir := range versions {
		paths := withDependencies(repository, artifact{Group: clientGroup, Name: clientName, Version: filepath.Base(dir)}, 3)
		if paths != nil && (best == nil || newer(filepath.Base(dir), filepath.Base(filepath.Dir(best[0])))) {
			best = paths
		}
	}
	return best
}

// withDependencies returns the jars of an artifact and, to a depth, of what its pom names with a version; nil if one is missing.
func withDependencies(repository string, a artifact, depth int) []string {
	stem := filepath.Join(repository, filepath.FromSlash(strings.ReplaceAll(a.Group, ".", "/")), a.Name, a.Version, a.Name+"-"+a.Version)
	if !exists(stem + ".jar") {
		return nil
	}
	out := []string{stem + ".jar"}
	var pom struct {
		Dependencies []artifact `xml:"dependencies>dependency"`
	}
	text, err := os.ReadFile(stem + ".pom")
	if err != nil || xml.Unmarshal(text, &pom) != nil || depth == 0 {
		return out
	}
	for _, d := range pom.Dependencies {
		if d.Scope != "" && d.Scope != "compile" && d.Scope != "runtime" || d.Version == "" || strings.Contains(d.Version, "$") {
			continue
		}
		more := withDependencies(repository, d, depth-1)
		if more == nil {
			return nil
		}
		out = append(out, more...)
	}
	return out
}

// newer compares versions of numbers and dots.
func newer(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return len(as[i]) > len(bs[i]) || len(as[i]) == len(bs[i]) && as[i] > bs[i]
		}
	}
	return len(as) > len(bs)
}
