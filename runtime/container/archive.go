package container

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// buildContext returns the archive of a folder that a build is given, made while it is read. It leaves out what a
// .dockerignore says, and always our own .devstack.
//
// https://docs.docker.com/build/concepts/context/#dockerignore-files
func buildContext(ctx context.Context, dir string) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		archive := tar.NewWriter(w)
		err := pack(ctx, archive, dir)
		if err == nil {
			err = archive.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// Ignored returns a function that reports of a path in a folder whether the folder's .dockerignore leaves it out of a build.
func Ignored(dir string) (func(path string) bool, error) {
	patterns, err := ignorePatterns(dir)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		skip, err := patterns.MatchesOrParentMatches(path)
		return err == nil && skip && !needed(path)
	}, nil
}

// needed reports whether the engine is given a file in any case.
func needed(path string) bool { return path == "Dockerfile" || path == ".dockerignore" }

func pack(ctx context.Context, archive *tar.Writer, dir string) error {
	ignored, err := ignorePatterns(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		if name == ".devstack" {
			return fs.SkipDir
		}
		skip, err := ignored.MatchesOrParentMatches(name)
		switch {
		case err != nil:
			return err
		case !skip || needed(name):
			return add(archive, path, filepath.ToSlash(name), entry)
		case entry.IsDir() && !ignored.Exclusions():
			return fs.SkipDir
		}
		return nil
	})
}

func ignorePatterns(dir string) (*patternmatcher.PatternMatcher, error) {
	var patterns []string
	f, err := os.Open(filepath.Join(dir, ".dockerignore"))
	if err == nil {
		defer f.Close()
		patterns, err = ignorefile.ReadAll(f)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	return m, nil
}

// add writes one file, folder or link. Owners are left out, as the docker command does; sockets and devices too.
func add(archive *tar.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	mode := info.Mode()
	if !mode.IsRegular() && !mode.IsDir() && mode&fs.ModeSymlink == 0 {
		return nil
	}
	var link string
	if mode&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name = name
	if mode.IsDir() {
		header.Name += "/"
	}
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	if err := archive.WriteHeader(header); err != nil || !mode.IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// No more than the header says, should the file be growing.
	_, err = io.CopyN(archive, f, header.Size)
	return err
}
