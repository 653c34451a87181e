package wiretest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mountable/requests/internal/h1"
)

// Reply is what a server does after a request: the parts are sent, then the connection ends in the given way, or is
// read again. The zero Reply sends nothing: the client waits.
type Reply struct {
	Parts []Part
	Early int  // how many of the parts go out after the head of the request, before its body is read (not with Handler)
	Close bool // then close, with TLS orderly
	Cut   bool // then close the TCP connection, in TLS without close_notify
	Reset bool // then close with RST
}

// Part is raw bytes and the time to wait before them.
type Part struct {
	After time.Duration
	Send  string
}

// Send is a Reply of raw bytes.
func Send(raw string) Reply { return Reply{Parts: []Part{{Send: raw}}} }

// Slowly is a Reply of raw pieces with a pause before each but the first.
func Slowly(pause time.Duration, pieces ...string) Reply {
	var r Reply
	for i, p := range pieces {
		r.Parts = append(r.Parts, Part{After: pause * time.Duration(min(i, 1)), Send: p})
	}
	return r
}

// Text is a Reply with a body and its Content-Length after the given fields. It panics on fields that cannot be sent.
func Text(status int, body string, fields ...[2]string) Reply {
	fields = append(fields[:len(fields):len(fields)], [2]string{"Content-Length", strconv.Itoa(len(body))})
	head, err := h1.AppendResponseHead(nil, status, http.StatusText(status), fields)
	if err != nil {
		panic(err)
	}
	return Send(string(head) + body)
}

// Chunks is a 200 Reply whose body is sent in these chunks.
func Chunks(chunks ...string) Reply {
	raw := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, c := range chunks {
		raw = h1.AppendChunk(raw, []byte(c))
	}
	return Send(string(raw) + h1.LastChunk)
}

// Drop closes the connection without a reply.
func Drop() Reply { return Reply{Close: true} }

// ThenClose is r with the connection closed after it.
func (r Reply) ThenClose() Reply {
	r.Close = true
	return r
}

// ThenCut is r with the connection closed after it, in TLS without close_notify.
func (r Reply) ThenCut() Reply {
	r.Cut = true
	return r
}

// ThenReset is r with the connection reset after it.
func (r Reply) ThenReset() Reply {
	r.Reset = true
	return r
}
