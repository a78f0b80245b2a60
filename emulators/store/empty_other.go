//go:build !linux

package store

// emptyFile is nil: bbolt makes its file itself.
func emptyFile() []byte { return nil }
