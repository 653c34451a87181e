package adapters

import (
	"encoding/json"
	"errors"
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
