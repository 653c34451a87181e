package requests

import "context"

// Get sends a GET request with a Session of its own, as the other functions here
// do. Use a [Session] for more than one request: it keeps connections.
func Get(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Get(ctx, url, options...) })
}

// Options sends an OPTIONS request; see [Get].
func Options(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Options(ctx, url, options...) })
}

// Head sends a HEAD request; see [Get] and [Session.Head].
func Head(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Head(ctx, url, options...) })
}

// Post sends a POST request; see [Get].
func Post(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Post(ctx, url, options...) })
}

// Put sends a PUT request; see [Get].
func Put(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Put(ctx, url, options...) })
}

// Patch sends a PATCH request; see [Get].
func Patch(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Patch(ctx, url, options...) })
}

// Delete sends a DELETE request; see [Get].
func Delete(ctx context.Context, url string, options ...Option) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Delete(ctx, url, options...) })
}

// Do sends r, with any method; see [Get] and [Session.Do].
func Do(ctx context.Context, r *Request) (*Response, error) {
	return once(func(s *Session) (*Response, error) { return s.Do(ctx, r) })
}

// once runs one call on a throw-away session. Its connections close when idle;
// a streamed response's when it is closed.
func once(call func(*Session) (*Response, error)) (*Response, error) {
	s := NewSession()
	defer s.Close()
	return call(s)
}

// GetJSON gets url and decodes the response's JSON into a T. A status of 400 or more is [ErrHTTP].
func GetJSON[T any](ctx context.Context, s *Session, url string, options ...Option) (T, error) {
	return decodeJSON[T](s.Get(ctx, url, options...))
}

// PostJSON posts v as JSON to url and decodes the response's JSON into a T. A status
// of 400 or more is [ErrHTTP].
func PostJSON[T any](ctx context.Context, s *Session, url string, v any, options ...Option) (T, error) {
	return decodeJSON[T](s.Post(ctx, url, append([]Option{JSON(v)}, options...)...))
}

func decodeJSON[T any](r *Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	defer r.Close()
	if err := r.RaiseForStatus(); err != nil {
		return v, err
	}
	return v, r.JSON(&v)
}
