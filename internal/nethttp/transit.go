package nethttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests/internal/body"
)

// Transit is one http.Request on its way: its context, and its body, which is closed once. Begin
// begins it.
type Transit struct {
	Request *http.Request
	Context context.Context

	cancel context.CancelCauseFunc // nil unless req.Cancel is set
	close  func() error
	forget func() bool           // ends the watching of Context for the body
	failed atomic.Pointer[error] // of a Read of the body
}

var errRequestCanceled = errors.New("net/http: request canceled") // the text programs know

// Begin begins with req, which may be canceled by its Cancel as well.
func (x *Transit) Begin(req *http.Request) {
	x.Request, x.Context, x.close = req, req.Context(), func() error { return nil }
	if req.Body != nil {
		x.close = sync.OnceValue(req.Body.Close)
	}
	//lint:ignore SA1019 the contract still has it
	if done := req.Cancel; done != nil {
		x.Context, x.cancel = context.WithCancelCause(x.Context)
		go func() {
			select {
			case <-done:
				x.cancel(errRequestCanceled)
			case <-x.Context.Done():
			}
		}()
	}
}

// EndUpload closes the body, if it is open, which ends a Read of it that waits.
func (x *Transit) EndUpload() { _ = x.close() }

// Answered notes that the response has come: from now on, the context closes a body that
// is still being sent.
func (x *Transit) Answered() {
	if x.Request.Body != nil && x.Request.Body != http.NoBody && x.Context.Done() != nil {
		x.forget = context.AfterFunc(x.Context, x.EndUpload)
	}
}

// BodyError returns the error of a Read of the body, nil if it has had none.
func (x *Transit) BodyError() error {
	if failed := x.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

// End closes the body, if it is open, and ends what waits for req.Cancel.
func (x *Transit) End() {
	_ = x.close()
	if x.forget != nil {
		x.forget()
	}
	if x.cancel != nil {
		x.cancel(nil)
	}
}

// Body is the body of the http.Request as a session sends it, nil for none.
func (x *Transit) Body() any {
	if x.Request.Body == nil || x.Request.Body == http.NoBody {
		return nil
	}
	b := &httpBody{Reader: x.Request.Body, transit: x}
	if x.Request.GetBody == nil {
		return body.Stream(b, b.length(), nil)
	}
	return body.Stream(b, b.length(), b.rewind)
}

// httpBody is the body of an http.Request, which is closed when it has been read.
type httpBody struct {
	io.Reader
	transit *Transit
}

// Read closes the body at its end, as nothing more is wanted of it.
func (b *httpBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		if err != io.EOF {
			failed := err
			b.transit.failed.Store(&failed)
		}
		_ = b.transit.close()
	}
	return n, err
}

// File is the file that the body is, be it in an io.NopCloser, nil if it is anything else.
func (b *httpBody) File() *os.File {
	r := any(b.Reader)
	if t := reflect.TypeOf(r); t == nopCloser || t == nopCloserWriterTo {
		r = reflect.ValueOf(r).Field(0).Interface() // as in net/http: the embedded Reader
	}
	f, _ := r.(*os.File)
	return f
}

// What io.NopCloser returns: the second has a file's WriteTo.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser((*os.File)(nil)))
)

// length is the announced one, -1 if there is none, or if the body is to be chunked.
func (b *httpBody) length() int64 {
	req := b.transit.Request
	if req.ContentLength <= 0 || len(req.TransferEncoding) > 0 && req.TransferEncoding[0] == "chunked" {
		return -1
	}
	return req.ContentLength
}

// rewind starts the body again with GetBody.
func (b *httpBody) rewind() error {
	again, err := b.transit.Request.GetBody()
	if err != nil {
		return err
	}
	_ = b.transit.close()
	b.Reader, b.transit.close = again, sync.OnceValue(again.Close)
	return nil
}
