//go:build !linux

package main

// monotonic is for Linux, where the benchmark runs.
func monotonic() (int64, error) { return 0, errCannot }
