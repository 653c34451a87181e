package adapters

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// heldBack is up to how much of a body net/http holds back to learn its length.
const heldBack = 2048

// responseWriter is the handler's side of the response.
type responseWriter struct {
	served *served
	header http.Header

	status   int // 0 before WriteHeader
	snapshot http.Header
	length   int64 // announced, -1 if not
	written  int64
	held     []byte
	sent     bool // the head is on its way
	fault    error
}

// Header implements [http.ResponseWriter].
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter]. Statuses from 100 to 199 but 101 go out at once.
func (w *responseWriter) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status < 100 || status > 999:
		w.fault = fmt.Errorf("the handler wrote the status %d", status)
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.deliver(head{status, sorted(w.header)})
	default:
		w.status, w.snapshot, w.length = status, w.header.Clone(), announced(w.header)
	}
}

// Write implements [http.ResponseWriter].
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(len(p)) > w.length:
		w.written += int64(len(p))
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	switch {
	case w.sent && w.served.method == "HEAD":
		return len(p), nil
	case w.sent:
		return w.served.body.write(p)
	}
	w.held = append(w.held, p...)
	if len(w.held) < heldBack {
		return len(p), nil
	}
	return len(p), w.FlushError()
}

// WriteString implements [io.StringWriter].
func (w *responseWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() { _ = w.FlushError() }

// FlushError sends what has been held back; [http.ResponseController] calls it.
func (w *responseWriter) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sendHead(false)
	held := w.held
	if w.held = nil; len(held) == 0 || w.served.method == "HEAD" {
		return nil
	}
	_, err := w.served.body.write(held)
	return err
}

// EnableFullDuplex is for [http.ResponseController]: reading and writing are always independent here.
func (w *responseWriter) EnableFullDuplex() error { return nil }

// sendHead completes the header as net/http's server does, and hands it over.
func (w *responseWriter) sendHead(ended bool) {
	if w.sent {
		return
	}
	w.sent = true
	h := w.snapshot
	w.frame(h, ended)
	if _, named := h["Content-Type"]; !named && len(w.held) > 0 && h.Get("Content-Encoding") == "" {
		h.Set("Content-Type", http.DetectContentType(w.held))
	}
	if _, dated := h["Date"]; !dated {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	w.deliver(head{w.status, sorted(h)})
}

// frame says how the body is delimited, as net/http's server would.
func (w *responseWriter) frame(h http.Header, ended bool) {
	trailers := len(h["Trailer"]) > 0
	for name := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			delete(h, name)
			trailers = true
		}
	}
	isHead := w.served.method == "HEAD"
	switch {
	case !bodyAllowed(w.status):
	case w.length >= 0:
	case ended && !trailers && (!isHead || w.written > 0):
		w.length = w.written
		h.Set("Content-Length", strconv.FormatInt(w.length, 10))
	case !isHead:
		h.Set("Transfer-Encoding", "chunked")
	}
	if isHead || !bodyAllowed(w.status) {
		w.served.body.expect(0)
		return
	}
	w.served.body.expect(w.length)
}

// deliver hands a head to the client, if it still waits.
func (w *responseWriter) deliver(h head) {
	select {
	case w.served.head <- h:
	case <-w.served.watch.ctx.Done():
	}
}

// finish ends the response: good, or cut short by err.
func (w *responseWriter) finish(err error) {
	if err == nil {
		err = w.fault
	}
	if err != nil && !w.sent {
		w.served.failed = err
		close(w.served.head)
		return
	}
	if err == nil {
		err = w.complete()
	}
	w.served.body.end(err, w.trailers())
}

// complete sends what is left, and says how the body ends.
func (w *responseWriter) complete() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	declared := w.length
	w.sendHead(true)
	_ = w.FlushError()
	if declared > w.written && w.served.method != "HEAD" && bodyAllowed(w.status) {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// trailers are the fields that were announced by Trailer, or have the prefix.
func (w *responseWriter) trailers() requests.Headers {
	found := http.Header{}
	for _, line := range w.snapshot["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if values := w.header[name]; len(values) > 0 {
				found[name] = values
			}
		}
	}
	for name, values := range w.header {
		if bare, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			found[http.CanonicalHeaderKey(bare)] = values
		}
	}
	return sorted(found)
}
