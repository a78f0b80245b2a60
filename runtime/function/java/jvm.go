package java

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// jvm is an installed Java.
type jvm struct {
	path  string // of its program java
	home  string
	major string // "17"
	note  string // why it is not quite what the function asked for, "" if it is
}

// jvmFor finds the best Java for a runtime such as "java21" or "java8.al2": one of that version if there is any, else JAVA_HOME's
// or the one that the developer's shell would run.
func jvmFor(runtime string) (jvm, error) {
	wanted, _, _ := strings.Cut(strings.TrimPrefix(runtime, "java"), ".")
	var other jvm
	for _, home := range homes(wanted) {
		j := jvm{path: filepath.Join(home, "bin", "java"), home: home, major: majorOf(home)}
		switch {
		case j.major == "" || !exists(j.path):
		case j.major == wanted:
			return j, nil
		case other.path == "":
			other = j
		}
	}
	if other.path == "" {
		return other, errors.New("no Java was found for runtime " + runtime + ": neither is JAVA_HOME set, nor is java in PATH, nor in the usual places; install JDK " + wanted)
	}
	other.note = fmt.Sprintf("runtime %s runs on Java %s (%s), because no Java %s was found", runtime, other.major, other.home, wanted)
	return other, nil
}

// homes are the folders that may be of a Java, the likeliest first.
func homes(wanted string) []string {
	var out []string
	if home := os.Getenv("JAVA_HOME"); home != "" {
		out = append(out, home)
	}
	if path, err := exec.LookPath("java"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			out = append(out, filepath.Dir(filepath.Dir(real)))
		}
	}
	home := os.Getenv("HOME")
	for _, pattern := range []string{
		"/usr/lib/jvm/*-" + wanted + "-*", "/usr/lib/jvm/*-" + wanted, home + "/.sdkman/candidates/java/" + wanted + ".*",
		home + "/.local/share/mise/installs/java/*" + wanted + ".*", home + "/.asdf/installs/java/*" + wanted + ".*",
	} {
		if found, err := filepath.Glob(pattern); err == nil {
			out = append(out, found...)
		}
	}
	return out
}

// majorOf reads which version is in a folder, "" if there is none.
func majorOf(home string) string {
	text, err := os.ReadFile(filepath.Join(home, "release"))
	if err != nil {
		return ""
	}
	_, after, found := strings.Cut(string(text), `JAVA_VERSION="`)
	if !found {
		return ""
	}
	version, _, _ := strings.Cut(after, `"`)
	version = strings.TrimPrefix(version, "1.") // 1.8.0_452
	major, _, _ := strings.Cut(version, ".")
	return major
}
