package requests

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/mountable/requests/internal/h1"
)

// Upgrade asks the server of url to go on in another protocol ("websocket", "h2c", the
// name of one's own; RFC 9110 section 7.8), and returns the connection once it has agreed
// with 101. The request is a GET with the session's headers, cookies, auth, proxies and TLS, and
// what options say; redirects and challenges before the 101 are followed as ever. It goes
// over HTTP/1.1.
//
// The connection belongs to the caller, who closes it: neither the context nor the
// session's time limits hold for it any more. It has CloseWrite where the transport has,
// and may be read, written and closed by several goroutines. Any other response than 101
// is an [ErrHTTP] or, for a status below 400, an [ErrConnection], with the response, whose
// body has been read.
func (s *Session) Upgrade(ctx context.Context, url, protocol string, options ...Option) (io.ReadWriteCloser, *Response, error) {
	r := &Request{Method: "GET", URL: url}
	if err := r.apply(options); err != nil {
		return nil, nil, err
	}
	r.Headers = append(r.Headers.Clone(), [2]string{"Connection", "Upgrade"}, [2]string{"Upgrade", protocol})
	resp, err := s.Do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if conn, ok := resp.Conn(); ok {
		return conn, resp, nil
	}
	drain(resp)
	if err := resp.RaiseForStatus(); err != nil {
		return nil, resp, err
	}
	detail := fmt.Sprintf("the server did not switch to %q: it responded %d %s", protocol, resp.StatusCode, resp.Reason)
	return nil, resp, &Error{Kind: ErrConnection, Request: resp.Request, Response: resp, Detail: detail}
}

// Conn returns the connection behind a response after which HTTP has ended on it: 101 to a
// request that asked for it, and success to CONNECT. The caller closes it. ok is false for
// every other response.
func (r *Response) Conn() (conn io.ReadWriteCloser, ok bool) {
	if !r.leftHTTP() {
		return nil, false
	}
	conn, ok = r.Raw.(io.ReadWriteCloser)
	return conn, ok
}

// leftHTTP reports whether what follows the head is no body.
func (r *Response) leftHTTP() bool {
	return r.StatusCode == 101 || r.Request != nil && r.Request.Method == "CONNECT" && r.StatusCode/100 == 2
}

// upgrades reports whether p asks for another protocol.
func (p *PreparedRequest) upgrades() bool {
	return h1.HasToken(p.Headers, "connection", "upgrade") && strings.TrimSpace(p.Headers.Get("Upgrade")) != ""
}
