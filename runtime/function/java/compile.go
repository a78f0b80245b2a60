package java

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"devstack/runtime/function"
)

// javac compiles sources into the build's folder.
func (e *Engine) javac(ctx context.Context, b *build, files []string, root string, layers []string) error {
	compiler := filepath.Join(b.jvm.home, "bin", "javac")
	if !exists(compiler) {
		return fmt.Errorf("%s has no javac: Java sources need a JDK, not only a JRE; install one, or compile the function elsewhere and set source to its jar", b.jvm.home)
	}
	libraries := append(jars(filepath.Join(root, "lib")), layers...)
	against := libraries
	if own, err := e.client.find(ctx); err == nil { // it has AWS's interfaces for handlers
		against = append(against[:len(against):len(against)], own...)
	}
	args := []string{"-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-g", "-encoding", "UTF-8", "-implicit:class", "-Xlint:none", "-d", b.dir, "-sourcepath", root}
	if len(against) > 0 {
		args = append(args, "-cp", strings.Join(against, string(os.PathListSeparator)))
	}
	if err := run(ctx, root, compiler, append(args, files...)...); err != nil {
		return err
	}
	b.classpath = append([]string{b.dir, root}, libraries...) // resources are beside the sources
	return nil
}

// mavenProject is what is known of a project while its pom.xml stays.
type mavenProject struct {
	pom       string   // content
	libraries []string // jars that it depends on
}

// maven has Maven compile a project, and takes a copy of what it made: a JVM loads classes when it needs them, and the next build
// replaces them.
func (e *Engine) maven(ctx context.Context, b *build, root string, known *build) error {
	tool, err := exec.LookPath("mvn")
	if wrapper := filepath.Join(root, "mvnw"); exists(wrapper) {
		tool, err = wrapper, nil
	}
	if err != nil {
		return errors.New("mvn was not found in PATH, and " + root + " is a Maven project: install Maven, or build a jar with all that the function depends on elsewhere " +
			"and set source to it")
	}
	pom, err := os.ReadFile(filepath.Join(root, "pom.xml"))
	if err != nil {
		return &function.BuildError{Text: err.Error()}
	}
	goals := []string{"compile"}
	list := filepath.Join(b.dir, "classpath")
	if known != nil && known.maven != nil && known.maven.pom == string(pom) {
		b.maven = known.maven
	} else {
		goals = append(goals, "dependency:build-classpath", "-Dmdep.includeScope=runtime", "-Dmdep.outputFile="+list)
	}
	// Without the network first: that is faster, and all that is needed once everything has been fetched.
	err = run(ctx, root, tool, append([]string{"-q", "-B", "-o"}, goals...)...)
	var mistake *function.BuildError
	if errors.As(err, &mistake) && isOffline(mistake.Text) {
		err = run(ctx, root, tool, append([]string{"-q", "-B"}, goals...)...)
	}
	if err != nil {
		return err
	}
	if b.maven == nil {
		text, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		b.maven = &mavenProject{pom: string(pom), libraries: filepath.SplitList(strings.TrimSpace(string(text)))}
	}
	classes := filepath.Join(b.dir, "classes")
	if err := os.CopyFS(classes, os.DirFS(filepath.Join(root, "target", "classes"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.classpath = append([]string{classes}, b.maven.libraries...)
	return nil
}

// isOffline reports whether Maven wants the network: for a plugin or a library that is not in the local repository.
func isOffline(text string) bool {
	return strings.Contains(text, "offline mode") || strings.Contains(text, "has not been downloaded from it before")
}

// run runs a tool in the developer's own environment, without credentials. What it says of the sources is a
// *function.BuildError.
func run(ctx context.Context, dir, tool string, args ...string) error {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "AWS_") && name != "PWD" {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "PWD="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return &function.BuildError{Text: readable(dir, out)}
	}
	return err
}

// readable leaves out what tools say about themselves, and makes paths short: lines with file and line remain.
func readable(dir string, out []byte) string {
	var lines []string
	for line := range bytes.Lines(out) {
		text := strings.TrimRight(strings.TrimPrefix(string(line), "[ERROR] "), "\r\n")
		if strings.HasPrefix(text, "To see the full stack trace") || strings.HasPrefix(text, "Re-run Maven") || strings.HasPrefix(text, "For more information") ||
			strings.HasPrefix(text, "[Help ") || strings.HasPrefix(text, "-> [Help") || strings.HasPrefix(text, "Picked up ") || strings.Trim(text, " \x1b[0m") == "" {
			continue
		}
		lines = append(lines, strings.ReplaceAll(text, dir+string(filepath.Separator), ""))
	}
	return strings.Join(lines, "\n")
}
