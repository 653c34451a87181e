// Package requests is an HTTP client with the model of Python's Requests: a
// [Session] whose settings are merged into every request, prepared requests,
// transport adapters mounted by URL prefix, response hooks, and cookies,
// redirects, authentication and decoding done as Requests does them.
//
//	s := requests.NewSession()
//	defer s.Close()
//	s.Headers.Set("X-Team", "search")
//	r, err := s.Get(ctx, "https://api.example.com/users", requests.Params{{"page", "2"}})
//	if err != nil {
//		return err // errors.Is(err, requests.ErrTimeout), ErrConnection, …
//	}
//	if err := r.RaiseForStatus(); err != nil {
//		return err
//	}
//	err = r.JSON(&users)
//
// Requests' keywords are [Option] values here: [Params], [Headers], [Form], [Files], [Cookies],
// [Proxies] and [Timeouts] literals, and functions such as [JSON], [Body], [Stream], [Verify] and
// [AllowRedirects].
//
// Three things extend it: a [Hook] looks at a response or replaces it; an
// [AdapterOption] edits the connection a request is about to use; a [Wrapper] acts
// around a send. Header order and letter case arrive on the wire exactly as given.
//
// Where Requests is known to be unsafe, this package is safe by default, and [Policy] restores
// Requests' way; docs/differences.md has the list.
package requests
