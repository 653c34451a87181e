package adapters

import "github.com/mountable/requests"

// Chain puts wrappers around an adapter. The first is the outermost: it sees a request
// first and its response last. nil wrappers are skipped; a nil base makes every Send
// [requests.ErrInvalidArgument].
//
//	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), adapters.Logging(nil), limit))
func Chain(base requests.Adapter, wrappers ...requests.Wrapper) requests.Adapter {
	base = orNone(base)
	for i := len(wrappers) - 1; i >= 0; i-- {
		if wrappers[i] != nil {
			base = wrappers[i](base)
		}
	}
	return base
}

// orNone is base, or what says at each Send that there is no adapter.
func orNone(base requests.Adapter) requests.Adapter {
	if base == nil {
		return requests.AdapterFunc(nil)
	}
	return base
}

// closeIdle passes [requests.AdapterTransport]'s wish on to a wrapped adapter.
func closeIdle(a requests.Adapter) {
	if c, ok := a.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}
