package lambdalocal

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Values that contain the function's name.
const (
	region  = "ap-northeast-2"
	account = "000000000000"
)

// runtimeAPI serves the process's side of an environment.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (e *environment) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", e.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST "+base+"init/error", e.serveInitError)
	return mux
}

// serveNext answers when there is an invocation; that may take forever.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	e.setReady()
	select {
	case v := <-e.pending:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn",
			"arn:aws:lambda:"+region+":"+account+":function:"+e.cfg.Name)
		header.Set("Lambda-Runtime-Trace-Id", newTraceID())
		_, _ = w.Write(v.payload) // the end of the process is noticed elsewhere
	case <-r.Context().Done():
	}
}

func (e *environment) setReady() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.init == 0 {
		e.init = time.Since(e.started)
		close(e.ready)
	}
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		e.answer(w, r, http.StatusRequestEntityTooLarge, result{
			err: &Error{ResponseTooLarge, fmt.Sprintf("Response payload size exceeded %d bytes", MaxPayload)},
		})
	case err == nil:
		e.answer(w, r, http.StatusAccepted, result{payload: body})
	}
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	if body, err := io.ReadAll(r.Body); err == nil {
		e.answer(w, r, http.StatusAccepted, result{err: parseError(body)})
	}
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	select {
	case e.initErr <- parseError(body):
	default: // the first one counts
	}
	w.WriteHeader(http.StatusAccepted)
}

// answer takes only the result of the current invocation.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, status int, res result) {
	e.mu.Lock()
	v := e.current
	e.mu.Unlock()
	if v == nil || v.id != r.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`, http.StatusBadRequest)
		return
	}
	w.WriteHeader(status)
	select {
	case v.result <- res:
	default: // the first one counts
	}
}

// newTraceID returns an X-Ray header for a trace that is not sampled.
func newTraceID() string {
	id := newRequestID()
	return fmt.Sprintf("Root=1-%08x-%s;Sampled=0", time.Now().Unix(), id[:8]+id[9:13]+id[14:18]+id[19:23]+id[24:28])
}
