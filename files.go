package requests

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/multipart"
)

// newFilesBody makes the multipart body of Form and Files.
func (r *Request) newFilesBody(asRequests bool) (*multipart.Form, error) {
	var files []multipart.File
	for _, f := range r.Files {
		switch {
		case f.Content != nil:
			files = append(files, multipart.File{Field: f.Field, Name: f.Name, NoName: f.NoName, Content: f.Content, ContentType: f.ContentType, Header: f.Headers})
		case !asRequests:
			return nil, fail(ErrInvalidArgument, "the file %q has no Content", f.Field)
		}
	}
	form, err := multipart.NewForm(r.Form, files)
	return form, bodyFault(err)
}

// call is a call that prepares a request.
type call struct {
	ctx      context.Context
	deadline time.Time // of Timeouts.Total, if its clock is running
}

// encodeFilesDuring is encodeFiles, which returns with an error when the call is over. A
// file whose Read waits is then read on by a goroutine of its own, which ends with that Read.
func (r *Request) encodeFilesDuring(c *call, asRequests bool) (body.Body, string, error) {
	if c == nil || c.ctx == nil || !slices.ContainsFunc(r.Files, func(f File) bool { return body.Waits(f.Content) }) {
		return r.encodeFiles(asRequests)
	}
	own := *r // what the goroutine changes, when nobody waits for it any more
	var b body.Body
	contentType, err := "", errors.New("reading a file ended its goroutine")
	switch body.During(c.ctx, c.deadline, func() { b, contentType, err = own.encodeFiles(asRequests) }) {
	case nil:
		r.encoded = own.encoded
		return b, contentType, err
	case body.ErrOverdue:
		return body.Body{}, "", totalTimeout()
	}
	return body.Body{}, "", contextError(c.ctx)
}

// encodedBody is the body that a Request was sent with, and what it was made of.
type encodedBody struct {
	given       any
	form        Form
	files       Files
	body        body.Body
	contentType string
	renewable   bool // after Restart, the readers give the same again
}

// remember keeps the body of r for it to be sent again, if r is the caller's and readers are read for it.
func (r *Request) remember(b body.Body, contentType string, renewable bool) {
	_, isReader := r.Body.(io.Reader)
	if r.pooled == nil && (isReader || len(r.Files) > 0) {
		r.encoded = &encodedBody{r.Body, slices.Clone(r.Form), slices.Clone(r.Files), b, contentType, renewable}
	}
}

// isOf reports whether r still has what e was made of.
func (e *encodedBody) isOf(r *Request) bool {
	return e != nil && body.Same(e.given, r.Body) && slices.Equal(e.form, r.Form) && slices.EqualFunc(e.files, r.Files, samePart)
}

func samePart(a, b File) bool {
	return body.Same(a.Content, b.Content) && a.Field == b.Field && a.Name == b.Name && a.NoName == b.NoName &&
		a.ContentType == b.ContentType && slices.Equal(a.Headers, b.Headers)
}
