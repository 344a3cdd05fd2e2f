package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// How often progress is shown: on a terminal as a line that is overwritten, elsewhere as
// separate lines.
const (
	liveEvery  = 250 * time.Millisecond
	plainEvery = 5 * time.Second
)

// showProgress shows progress on w until the function that it returns is called.
func (r *loadRun) showProgress(w io.Writer) (stop func()) {
	every, show, clear := plainEvery, "%s\n", ""
	width, live := terminal(w)
	if live {
		clear = "\r\x1b[K" // to the first column, and erase the line
		every, show = liveEvery, clear+fmt.Sprintf("%%.%ds", width-1)
	}
	done, ticker := make(chan struct{}), time.NewTicker(every)
	var showing sync.WaitGroup
	showing.Go(func() {
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(w, show, r.status())
			case <-done:
				fmt.Fprint(w, clear)
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		showing.Wait()
	}
}

// terminal returns the columns of w, if it is one.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width, true
	}
	return 80, true
}

// status is the progress in a line.
func (r *loadRun) status() string {
	connected, counts, sends := r.tally.Connected(), r.tally.Counts(), r.tally.SendCounts()
	text := fmt.Sprintf("%4.0fs %v: %d/%d clients", time.Since(r.started).Seconds(), r.activity.Load(), connected, r.settings.clients)
	if sends.Scheduled == 0 {
		return text
	}
	text += fmt.Sprintf(", %d/%d sent, %d accepted, %d delivered", sends.Sent, sends.Scheduled, sends.Accepted, counts.Delivered)
	if s, ok := r.tally.LastInterval(); ok && s.Delivered > 0 {
		text += fmt.Sprintf(" (%.0f/s), p99 %v", float64(s.Delivered)*1e6/float64(s.To-s.From), millis(s.P99))
	}
	if bad := counts.Duplicated + counts.OutOfOrder; bad > 0 {
		text += fmt.Sprintf(", %d twice or out of order", bad)
	}
	return text
}
