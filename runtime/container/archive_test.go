package container

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBuildContext(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"Dockerfile", "main.go", "sub/a.txt", "sub/b.log", "node_modules/x/index.js", ".devstack/data/sqs.db", "keep/me.log",
	} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), name)
	}
	if err := os.Symlink("main.go", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".dockerignore"), "node_modules\n**/*.log\n!keep/me.log\nDockerfile\n")
	var got []string
	archive := tar.NewReader(buildContext(t.Context(), dir))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s belongs to %d %s", h.Name, h.Uid, h.Uname)
		}
		got = append(got, h.Name)
	}
	want := []string{".dockerignore", "Dockerfile", "keep/", "keep/me.log", "link", "main.go", "sub/", "sub/a.txt"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLoopbackAddressesInURLsMeanTheHost(t *testing.T) {
	for in, want := range map[string]string{
		"AWS_ENDPOINT_URL=http://127.0.0.1:4566":  "AWS_ENDPOINT_URL=http://172.17.0.1:4566",
		"A=redis://user:pw@localhost:6379/0":      "A=redis://user:pw@172.17.0.1:6379/0",
		"A=http://127.0.0.1:1,http://localhost:2": "A=http://172.17.0.1:1,http://172.17.0.1:2",
		"LISTEN=127.0.0.1:8080":                   "LISTEN=127.0.0.1:8080",
		"A=http://localhost.example.com:80/":      "A=http://localhost.example.com:80/",
		"A=http://127.0.0.1/":                     "A=http://127.0.0.1/",
	} {
		if got := withHost(in, "172.17.0.1"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzProgress(f *testing.F) {
	f.Add(`{"stream":"Step 1/2 : FROM scratch\n"}{"aux":{"ID":"sha256:1"}}`)
	f.Add(`{"errorDetail":{"message":"no"},"error":"no"}`)
	f.Add(`{"status":"Downloading","progressDetail":{"current":1},"id":"a"}`)
	f.Fuzz(func(t *testing.T, in string) {
		var out bytes.Buffer
		progress(strings.NewReader(in), &out)
	})
}
