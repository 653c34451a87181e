package http1

import "net/http/httptrace"

// tracer calls what a program asks to be told; the zero value tells nothing. The calls of
// an upload come from its goroutine.
type tracer struct{ *httptrace.ClientTrace }

// wroteFields tells of each name in a head that is about to be written, with all its values.
func (t tracer) wroteFields(fields [][2]string) {
	if t.ClientTrace == nil || t.WroteHeaderField == nil {
		return
	}
	var names []string
	values := make(map[string][]string, len(fields))
	for _, f := range fields {
		if _, told := values[f[0]]; !told {
			names = append(names, f[0])
		}
		values[f[0]] = append(values[f[0]], f[1])
	}
	for _, name := range names {
		t.WroteHeaderField(name, values[name])
	}
}

// wroteHead tells that the head has been written.
func (t tracer) wroteHead() {
	if t.ClientTrace != nil && t.WroteHeaders != nil {
		t.WroteHeaders()
	}
}

// wait100 tells that the body is held back for a 100 response.
func (t tracer) wait100() {
	if t.ClientTrace != nil && t.Wait100Continue != nil {
		t.Wait100Continue()
	}
}

// got100 tells that the body that was held back may follow.
func (t tracer) got100() {
	if t.ClientTrace != nil && t.Got100Continue != nil {
		t.Got100Continue()
	}
}

// wroteRequest tells that the request has been written, or why not.
func (t tracer) wroteRequest(err error) {
	if t.ClientTrace != nil && t.WroteRequest != nil {
		t.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}

// firstByte returns what is called when the response begins, nil for nothing.
func (t tracer) firstByte() func() {
	if t.ClientTrace == nil {
		return nil
	}
	return t.GotFirstResponseByte
}
