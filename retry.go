package requests

import "context"

// Retry says what an [HTTPAdapter] tries again. The zero value tries nothing again.
type Retry struct {
	Total int // repeats of any kind
}

// Attempt is a try that a retry put aside.
type Attempt struct {
	Method     string
	URL        string
	Err        error // nil if a reply came
	StatusCode int   // 0 if none came
}

// run sends until a reply comes that is not to be tried again.
func (r *Retry) run(ctx context.Context, p *PreparedRequest, opts SendOptions, send func() (*Response, error)) (*Response, error) {
	return send()
}
