package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"devstack/emulators/lambda"
	"devstack/runtime/config"
)

// withLayers is a function as the runtime takes it: of layers that are archives it has the folders that they are unpacked to, one for
// each content, so that what is there is right.
func (d *daemon) withLayers(fn *config.Function) (*config.Function, error) {
	if len(fn.LayerSums) == 0 {
		return fn, nil
	}
	unpacked := *fn
	unpacked.Layers = slices.Clone(fn.Layers)
	for i, path := range fn.Layers {
		sum := fn.LayerSums[path]
		if sum == "" {
			continue
		}
		dir := filepath.Join(d.dir, stateDir, "layers", sum)
		if err := unpackLayer(path, dir); err != nil {
			return nil, fmt.Errorf("layer %s: %w", d.relative(path), err)
		}
		unpacked.Layers[i] = dir
	}
	return &unpacked, nil
}

// unpackLayer makes a folder of an archive's files. It is there whole, or not at all.
func unpackLayer(path, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "unpacking-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := lambda.Unpack(content, temp); err != nil {
		return err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(temp, dir); err != nil && !leadsToFolder(dir) { // or another function has the same layer
		return err
	}
	return nil
}

func leadsToFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
