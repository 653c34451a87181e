package nethttp

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Status is code and reason as net/http has them. HTTP/2 has no reason, and gets the usual one.
func Status(code int, proto, reason string) string {
	if reason == "" && strings.HasPrefix(proto, "HTTP/2") {
		reason = http.StatusText(code)
	}
	if code == http.StatusOK && reason == "OK" {
		return "200 OK" // nearly all of them
	}
	return strings.TrimSpace(strconv.Itoa(code) + " " + reason)
}

// AnnouncedLength is what Content-Length says where there is no body, -1 if it says nothing.
func AnnouncedLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// Frame fills in what the fields about the framing say, and takes them out of the
// header where net/http does.
func Frame(resp *http.Response, chunked bool) {
	if chunked {
		resp.TransferEncoding = []string{"chunked"}
	}
	resp.Header.Del("Transfer-Encoding")
	// Behind a body that has no chunks there is no place for trailers in HTTP/1.1.
	if names := resp.Header.Values("Trailer"); len(names) > 0 && (chunked || resp.ProtoMajor != 1) {
		resp.Trailer = http.Header{}
		for name := range strings.SplitSeq(strings.Join(names, ","), ",") {
			resp.Trailer[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
		resp.Header.Del("Trailer")
	}
	if resp.ProtoMajor == 1 {
		resp.Close = closesAfter(resp, chunked)
	}
}

// closesAfter reports whether the connection ends with the response (RFC 9112 section 9.3).
func closesAfter(resp *http.Response, chunked bool) bool {
	if says(resp.Header, "close") {
		resp.Header.Del("Connection")
		return true
	}
	if resp.ProtoMinor == 0 && !says(resp.Header, "keep-alive") {
		return true
	}
	return resp.ContentLength < 0 && !chunked && resp.Request.Method != http.MethodHead && resp.StatusCode != http.StatusSwitchingProtocols
}

// says reports whether Connection has the token.
func says(h http.Header, token string) bool {
	for _, list := range h.Values("Connection") {
		for t := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// Upgraded is the connection behind a 101 or a CONNECT.
type Upgraded struct {
	io.ReadWriteCloser
	Transit *Transit
}

// Close ends the transit as well.
func (b *Upgraded) Close() error {
	defer b.Transit.End()
	return b.ReadWriteCloser.Close()
}

// CloseWrite tells the server that nothing more is sent.
func (b *Upgraded) CloseWrite() error {
	if half, ok := b.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// IsEmpty reports whether a response is known to have no body: by its status, by what remains, or as
// the source itself says, which is then read to its end by way of raw, as closing it may not be
// enough to free the connection.
func IsEmpty(status int, source io.Reader, remaining int64, raw io.Reader) bool {
	if remaining == 0 || status == http.StatusNoContent || status == http.StatusNotModified {
		return true
	}
	sized, ok := source.(interface{ Remaining() int64 })
	if !ok || sized.Remaining() != 0 {
		return false
	}
	_, _ = raw.Read(make([]byte, 1))
	return true
}
