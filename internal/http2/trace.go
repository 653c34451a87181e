package http2

import "net/http/httptrace"

// tracer calls what a program asks to be told; the zero value tells nothing.
type tracer struct{ trace *httptrace.ClientTrace }

// wait100 tells that the body is held back for a 100 response.
func (t tracer) wait100() {
	if t.trace != nil && t.trace.Wait100Continue != nil {
		t.trace.Wait100Continue()
	}
}

// wroteRequest tells that the request has been sent, or why not.
func (t tracer) wroteRequest(err error) {
	if t.trace != nil && t.trace.WroteRequest != nil {
		t.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}

// wroteHeaders tells of each field of the head.
func (t tracer) wroteHeaders(fields [][2]string) {
	if t.trace == nil {
		return
	}
	if t.trace.WroteHeaderField != nil {
		for _, f := range fields {
			t.trace.WroteHeaderField(f[0], []string{f[1]})
		}
	}
	if t.trace.WroteHeaders != nil {
		t.trace.WroteHeaders()
	}
}

// firstByte tells that a response has begun.
func (t tracer) firstByte() {
	if t.trace != nil && t.trace.GotFirstResponseByte != nil {
		t.trace.GotFirstResponseByte()
	}
}

// got100 tells that the body may follow.
func (t tracer) got100() {
	if t.trace != nil && t.trace.Got100Continue != nil {
		t.trace.Got100Continue()
	}
}
