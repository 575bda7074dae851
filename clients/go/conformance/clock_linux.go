package main

import "golang.org/x/sys/unix"

// monotonic reads, in nanoseconds, the clock that all processes of a machine share. That of package time counts from the
// start of this process.
func monotonic() (int64, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano(), err
}
