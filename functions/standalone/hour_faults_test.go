package main

import (
	"runtime"
	"time"
)

// faults are what can happen to the service and its clients. A name that is there twice
// happens twice as often.
var faults = []func(*hour) (name string){
	(*hour).cut, (*hour).cut, (*hour).cutHalf, (*hour).stallOne, (*hour).stallAll, (*hour).unplug, (*hour).restart,
	(*hour).crashNow, (*hour).crashBusy, (*hour).crashStopping, (*hour).beQuiet,
}

// fault has one of the faults happen.
func (h *hour) fault() { h.faults[faults[h.random.IntN(len(faults))](h)]++ }

// cut cuts a line after so many bytes one way, often within a frame.
func (h *hour) cut() string {
	h.cutOne(func(l *line) func() { return l.cutBoth })
	return "cut"
}

// cutHalf does so for one side; the other believes that the line is open.
func (h *hour) cutHalf() string {
	client := h.random.IntN(2) == 0
	h.cutOne(func(l *line) func() {
		if client {
			return l.cutClient
		}
		return l.cutService
	})
	return "cut for one side"
}

func (h *hour) cutOne(how func(*line) func()) {
	if l := h.oneLine(); l != nil {
		l.cutAfter(h.way(l), h.random.IntN(300), how(l))
	}
}

func (h *hour) stallOne() string {
	if l := h.oneLine(); l != nil {
		l.stall(h.way(l), h.upTo(3*time.Minute))
	}
	return "stall"
}

func (h *hour) stallAll() string {
	for _, l := range h.network.open() {
		l.stall(h.way(l), h.upTo(20*time.Second))
	}
	return "stall of all"
}

// unplug cuts all lines, and no client can connect for a while.
func (h *hour) unplug() string {
	h.network.setDown(true)
	for _, l := range h.network.open() {
		l.cutBoth()
	}
	h.wait(time.Second, 2*time.Minute)
	h.network.setDown(false)
	return "no network"
}

func (h *hour) restart() string {
	h.stopGracefully()
	h.wait(0, 30*time.Second)
	h.start()
	return "restart"
}

func (h *hour) crashNow() string {
	h.crash()
	h.wait(0, 30*time.Second)
	h.start()
	return "crash"
}

// crashBusy crashes the service somewhere in the middle of handling what a client has sent,
// or of answering. No time passes there: it is so many turns of the scheduler until then.
func (h *hour) crashBusy() string {
	turns, crashed := h.random.IntN(3_000), make(chan struct{})
	h.network.onNext(h.random.IntN(2) == 0, func() {
		defer close(crashed)
		for range turns {
			runtime.Gosched()
		}
		h.crash()
	})
	<-crashed
	h.wait(0, 5*time.Second)
	h.start()
	return "crash while busy"
}

// crashStopping crashes the service while it stops gracefully.
func (h *hour) crashStopping() string {
	h.network.leadTo(nil)
	h.stop()
	h.wait(0, 2*time.Second)
	h.crash()
	h.wait(0, 5*time.Second)
	h.start()
	return "crash while stopping"
}

// beQuiet has nobody send, once in an hour, for longer than an idle connection lasts.
func (h *hour) beQuiet() string {
	const idle = 12 * time.Minute
	if h.faults["quiet"] > 0 {
		return "none"
	}
	h.abandonErin()
	h.quiet.Store(time.Now().Add(idle).UnixNano())
	time.Sleep(idle)
	return "quiet"
}

// abandonErin cuts erin's line, and only the service notices.
func (h *hour) abandonErin() {
	for _, l := range h.network.open() {
		if l.name == erin {
			l.cutService()
		}
	}
}

// oneLine returns a line, or nil if there is none.
func (h *hour) oneLine() *line {
	lines := h.network.open()
	if len(lines) == 0 {
		return nil
	}
	return lines[h.random.IntN(len(lines))]
}

func (h *hour) way(l *line) *way { return []*way{&l.up, &l.down}[h.random.IntN(2)] }

func (h *hour) wait(least, most time.Duration) { time.Sleep(least + h.upTo(most-least)) }

func (h *hour) upTo(most time.Duration) time.Duration {
	return time.Duration(h.random.Int64N(int64(most)))
}
