package adapters

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/mountable/requests"
)

// content is the body of a reply.
func (r Reply) content() ([]byte, error) {
	if r.JSON == nil {
		return []byte(r.Text), nil
	}
	data, err := json.Marshal(r.JSON)
	if err != nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidJSON, Err: err, Detail: "Reply.JSON cannot be sent as JSON"}
	}
	return data, nil
}

// describe adds the fields a server would add.
func (r Reply) describe(headers *requests.Headers, status, length int) {
	if r.JSON != nil && !headers.Has("Content-Type") {
		headers.Add("Content-Type", "application/json")
	}
	if bodyAllowed(status) && !headers.Has("Content-Length") && !headers.Has("Transfer-Encoding") {
		headers.Add("Content-Length", strconv.Itoa(length))
	}
}

// replyError is the error a reply stands for.
func replyError(p *requests.PreparedRequest, err error) error {
	if kind, ok := errors.AsType[requests.Kind](err); ok && error(kind) == err {
		return &requests.Error{Kind: kind, Request: p}
	}
	if e, ok := errors.AsType[*requests.Error](err); ok {
		return e
	}
	return &requests.Error{Kind: requests.ErrConnection, Request: p, Err: err}
}

// memory is a body whose bytes are at hand.
type memory struct {
	content  []byte
	read     int
	trailers requests.Headers
}

// Read implements [io.Reader].
func (m *memory) Read(p []byte) (int, error) {
	if m.read == len(m.content) {
		return 0, io.EOF
	}
	n := copy(p, m.content[m.read:])
	m.read += n
	return n, nil
}

// Close implements [io.Closer].
func (m *memory) Close() error { return nil }

// Remaining is what is left.
func (m *memory) Remaining() int64 { return int64(len(m.content) - m.read) }

// Trailers are the fields after the body.
func (m *memory) Trailers() [][2]string {
	if m.read < len(m.content) {
		return nil
	}
	return m.trailers
}
