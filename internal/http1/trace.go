package http1

import (
	"net/http/httptrace"
)

// tracer calls what a program asks to be told; the zero value tells nothing.
type tracer struct{ *httptrace.ClientTrace }

// wait100 tells that the body is held back for a 100 response.
func (t tracer) wait100() {
	if t.ClientTrace != nil && t.Wait100Continue != nil {
		t.Wait100Continue()
	}
}
