package adapters

import (
	"errors"

	"github.com/mountable/requests"
)

// transportFailure gives an error of an [net/http.RoundTripper] its kind.
func transportFailure(p *requests.PreparedRequest, w *watch, body *sentBody, err error) error {
	if body != nil {
		if failed := body.last().failed.Load(); failed != nil {
			e := *failed
			e.Request = p
			return &e
		}
	}
	if failure := w.failure(p); failure != nil {
		return failure
	}
	e := requests.CarrierError(p, err)
	if body != nil && !body.release() {
		return e.MarkWritten() // two readers of one body would each get a part of it
	}
	if _, known := errors.AsType[*requests.Error](err); known || e.Kind.Is(requests.ErrConnect) {
		return e
	}
	return e.MarkWritten()
}
