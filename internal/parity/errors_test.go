package parity

import (
	"errors"
	"slices"

	"github.com/mountable/requests"
)

// errorKinds are Requests' exception classes and the kinds which stand for them.
var errorKinds = []struct {
	name string
	kind requests.Kind
}{
	{"RequestException", requests.ErrRequest},
	{"HTTPError", requests.ErrHTTP},
	{"ConnectionError", requests.ErrConnection},
	{"ProxyError", requests.ErrProxy},
	{"SSLError", requests.ErrSSL},
	{"Timeout", requests.ErrTimeout},
	{"ConnectTimeout", requests.ErrConnectTimeout},
	{"ReadTimeout", requests.ErrReadTimeout},
	{"URLRequired", requests.ErrURLRequired},
	{"TooManyRedirects", requests.ErrTooManyRedirects},
	{"MissingSchema", requests.ErrMissingSchema},
	{"InvalidSchema", requests.ErrInvalidSchema},
	{"InvalidURL", requests.ErrInvalidURL},
	{"InvalidHeader", requests.ErrInvalidHeader},
	{"InvalidProxyURL", requests.ErrInvalidProxyURL},
	{"ChunkedEncodingError", requests.ErrChunkedEncoding},
	{"ContentDecodingError", requests.ErrContentDecoding},
	{"StreamConsumedError", requests.ErrStreamConsumed},
	{"RetryError", requests.ErrRetry},
	{"UnrewindableBodyError", requests.ErrUnrewindableBody},
	{"InvalidJSONError", requests.ErrInvalidJSON},
	{"JSONDecodeError", requests.ErrJSONDecode},
}

// ownKinds are those that Requests has no class for, where they are finer than its tree: what it raises there.
var ownKinds = map[requests.Kind]requests.Kind{
	requests.ErrBodyTimeout:  requests.ErrConnection,
	requests.ErrWriteTimeout: requests.ErrConnection,
	requests.ErrPoolTimeout:  requests.ErrConnection,
}

// errorNames lists the classes an error is, sorted. The outermost Kind decides: its causes are classes of their own.
func errorNames(err error) []string {
	names := []string{}
	if e, ok := errors.AsType[*requests.Error](err); ok {
		err = e.Kind
	}
	if k, ok := err.(requests.Kind); ok && ownKinds[k] != 0 {
		err = ownKinds[k]
	}
	for _, k := range errorKinds {
		if errors.Is(err, k.kind) {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}

// requestsClass tells whether a recorded class is one of Requests'.
func requestsClass(name string) bool {
	return slices.ContainsFunc(errorKinds, func(k struct {
		name string
		kind requests.Kind
	}) bool {
		return k.name == name
	})
}

// sameError tells whether err is what a recorded class stands for. Of Requests' classes it must be exactly that one;
// for errors of Python and urllib3 themselves any error will do.
func sameError(class string, err error) bool {
	if !requestsClass(class) {
		return true
	}
	return mostDerived(errorNames(err)) == class
}

// mostDerived is the class of which all the others are bases.
func mostDerived(names []string) string {
	best, depth := "", -1
	for _, k := range errorKinds {
		if d := len(errorNames(k.kind)); slices.Contains(names, k.name) && d > depth {
			best, depth = k.name, d
		}
	}
	return best
}

// errorResult shows an error as the scenarios do: the class and the other classes it is.
func errorResult(err error) map[string]any {
	names := errorNames(err)
	class := mostDerived(names)
	if class == "" || class == "RequestException" {
		return map[string]any{"error": err.Error()}
	}
	bases := slices.DeleteFunc(names, func(n string) bool { return n == class })
	return map[string]any{"error": class, "bases": bases}
}
