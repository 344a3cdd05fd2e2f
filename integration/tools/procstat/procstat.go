// Package procstat reads from Linux's /proc what a process and its descendants use.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is the resource usage of processes.
type Usage struct {
	CPU    time.Duration // user and system, since they started; in steps of a tick
	Memory int64         // resident bytes; not those of files, and shared memory counts for each
}

// tick is the unit of CPU time in /proc. It is sysconf(_SC_CLK_TCK) on every platform
// that Go runs on.
const tick = time.Second / 100

// Of returns the usage of the process and its living descendants.
func Of(pid int) (Usage, error) {
	used, err := one(pid)
	if err != nil {
		return Usage{}, err
	}
	for _, child := range children(pid) {
		u, err := Of(child)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return Usage{}, err
		}
		used.CPU += u.CPU
		used.Memory += u.Memory
	}
	return used, nil
}

// one reads /proc/<pid>/stat and status; see proc_pid_stat(5) for the fields.
func one(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	// The second field, the name in parentheses, can contain anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const firstField = 3
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-firstField], 10, 64)
		return n
	}
	if len(fields) < 15-firstField+1 {
		return Usage{}, fmt.Errorf("%d fields in /proc/%d/stat", len(fields), pid)
	}
	memory, err := memory(pid)
	return Usage{CPU: time.Duration(number(14)+number(15)) * tick, Memory: memory}, err
}

// memory leaves out what of files is mapped, such as those of the messages that are kept:
// the kernel takes it back when it needs to.
func memory(pid int) (bytes int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		for _, label := range []string{"RssAnon:", "RssShmem:"} {
			if n, _ := fmt.Sscanf(line, label+" %d kB", &kilobytes); n == 1 {
				bytes += kilobytes << 10
			}
		}
	}
	return bytes, nil
}

// children are those of all threads of the process. Without the kernel option
// CONFIG_PROC_CHILDREN, none are found.
func children(pid int) (all []int) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
