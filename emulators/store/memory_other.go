//go:build !linux

package store

import "errors"

// resident is not known: other systems take the pages of files back by themselves.
func resident() (files, other int, err error) { return 0, 0, errors.ErrUnsupported }

func unmapPages(address, size uintptr) {}
