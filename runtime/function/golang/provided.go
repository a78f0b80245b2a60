package golang

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// provided finds the executable of a function that somebody else builds: in its own folder, or in a layer. One that is there and
// cannot be run is Lambda's Runtime.InvalidEntrypoint when it is started, as on AWS.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
func provided(fn *config.Function, p *program) error {
	p.path, p.inputs = fn.Source, function.Files(fn.Source)
	info, err := os.Stat(fn.Source)
	if err == nil && info.IsDir() {
		p.path = filepath.Join(fn.Source, "bootstrap")
		info, err = os.Stat(p.path)
		p.inputs = append(p.inputs, p.path)                // it may be missing, and come
		for _, layer := range slices.Backward(fn.Layers) { // a later one is over an earlier
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				break
			}
			if i, e := os.Stat(filepath.Join(layer, "bootstrap")); e == nil {
				p.path, info, err = filepath.Join(layer, "bootstrap"), i, nil
			}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &function.BuildError{Text: p.path + " does not exist: a function with runtime " + fn.Runtime +
			" is an executable of that name; build it, or set the runtime to \"go\" to have a Go package built"}
	case err != nil:
		return &function.BuildError{Text: err.Error()}
	case info.IsDir():
		return &function.BuildError{Text: p.path + " is a folder, not an executable"}
	}
	return nil
}
