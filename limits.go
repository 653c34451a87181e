package requests

import (
	"fmt"
	"io"
)

// Limits bound what a response may bring. Zero takes the session's value, and the default
// where that is zero too; a negative one is no limit. It is an [Option].
type Limits struct {
	// MaxBody is the largest body in bytes, its content coding undone. What is longer is
	// [ErrBodyTooLarge], however it is read. By default Content, and all that reads
	// into memory with it, takes 256 MiB, and a body that is streamed may be of any
	// length.
	MaxBody int64
	// MaxLine is the longest line, or part between delimiters, in bytes; 1 MiB by
	// default. A longer one is [ErrLineTooLong] in [Response.Lines] and its kin.
	MaxLine int
}

const (
	// defaultMaxBody is more than anybody reads into memory without a thought, and
	// less than a small machine has.
	defaultMaxBody = 256 << 20
	// defaultMaxLine is sixteen times what bufio.Scanner takes: lines of JSON are long.
	defaultMaxLine = 1 << 20
)

// Apply sets the fields of l that are not zero.
func (l Limits) Apply(r *Request) error {
	r.Send.Limits = l.or(r.Send.Limits)
	return nil
}

// or takes zero fields from other.
func (l Limits) or(other Limits) Limits {
	if l.MaxBody == 0 {
		l.MaxBody = other.MaxBody
	}
	if l.MaxLine == 0 {
		l.MaxLine = other.MaxLine
	}
	return l
}

// unlimited reports whether nothing is bounded but what the call or the session bounds.
func (p *Policy) unlimited() bool { return p != nil && p.UnlimitedDecoding }

// maxLine is the longest line, 0 for any length.
func (r *Response) maxLine() int {
	n := r.opts.Limits.MaxLine
	if n == 0 && !r.opts.policy.unlimited() {
		n = defaultMaxLine
	}
	return max(n, 0)
}

// maxContent is the most that Content takes, 0 for any amount.
func (r *Response) maxContent() int64 {
	n := r.opts.Limits.MaxBody
	if n == 0 && !r.opts.policy.unlimited() {
		n = defaultMaxBody
	}
	return max(n, 0)
}

func (r *Response) lineTooLong() error {
	detail := fmt.Sprintf("a line is longer than %d bytes (Limits.MaxLine)", r.maxLine())
	return &Error{Kind: ErrLineTooLong, Request: r.Request, Response: r, Detail: detail}
}

func bodyTooLarge(limit int64) error {
	return fail(ErrBodyTooLarge, "the body is longer than %d bytes (Limits.MaxBody)", limit)
}

// boundedBody fails behind its first left bytes.
type boundedBody struct {
	io.Reader
	io.Closer   // nil where nobody closes it
	left, limit int64
	tooLong     func(limit int64) error
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		n, err = int(b.left), b.tooLong(b.limit)
	}
	b.left -= int64(n)
	return n, err
}
