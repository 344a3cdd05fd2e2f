package main

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used.
type cpuTime struct{ user, system time.Duration }

func usedCPU() cpuTime {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only for a wrong argument
	}
	return cpuTime{time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())}
}

func (c cpuTime) minus(before cpuTime) cpuTime {
	return cpuTime{c.user - before.user, c.system - before.system}
}
