package parity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

var _ = register(map[string]vectorFunc{
	"exceptions":        exceptionClass,
	"adapter_error_map": adapterError,
	"stream_error_map":  streamError,
	"urllib3_timeout":   timeoutLimits,
})

func init() {
	recordedForms["exceptions"] = func(tree any) any { return eachObject(tree, requestsTree) }
	recordedForms["urllib3_timeout"] = func(tree any) any { return eachObject(tree, withoutRepr) }
}

// requestsTree leaves out the classes of Python itself, and the order.
func requestsTree(object map[string]any) {
	for key, names := range object {
		kept := []string{}
		for _, name := range names.([]any) {
			if requestsClass(name.(string)) {
				kept = append(kept, name.(string))
			}
		}
		slices.Sort(kept)
		list := []any{}
		for _, name := range kept {
			list = append(list, name)
		}
		object[key] = list
	}
}

// withoutRepr leaves out what Python prints.
func withoutRepr(object map[string]any) { delete(object, "repr") }

// exceptionClass shows the place of a Kind in the tree.
func exceptionClass(_ *testing.T, in input) (any, error) {
	name := in.text("name")
	if own := ownErrors[in.text("module")+"."+name]; own.err != nil {
		return map[string]any{"bases": own.bases, "mro": own.mro}, notOfRequests(own.err)
	}
	if in.text("module") != "requests" || !requestsClass(name) {
		return nil, cannot("%s has no class of its own", name)
	}
	mro := errorNames(kindOf(name))
	bases := []string{}
	for _, candidate := range mro {
		if candidate != name && !slices.ContainsFunc(mro, func(other string) bool {
			return other != name && other != candidate && slices.Contains(errorNames(kindOf(other)), candidate)
		}) {
			bases = append(bases, candidate)
		}
	}
	return map[string]any{"bases": bases, "mro": mro}, nil
}

// ownErrors are the classes of urllib3 and the toolbelt that have a Kind or a type here, with those of their bases whose
// names Requests has as well: urllib3's HTTPError is the base of all its errors.
var ownErrors = map[string]struct {
	err        error
	bases, mro []string
}{
	"urllib3.MaxRetryError":                              {&requests.MaxRetryError{Reason: &requests.ResponseError{StatusCode: 503}}, []string{}, []string{"HTTPError"}},
	"urllib3.ResponseError":                              {&requests.ResponseError{StatusCode: 503}, []string{"HTTPError"}, []string{"HTTPError"}},
	"requests.CookieConflictError":                       {requests.ErrCookieConflict, []string{}, []string{}},
	"requests_toolbelt.StreamingError":                   {toolbelt.ErrStreaming, []string{}, []string{}},
	"requests_toolbelt.VersionMismatchError":             {toolbelt.ErrVersionMismatch, []string{}, []string{}},
	"requests_toolbelt.RequestsVersionTooOld":            {toolbelt.ErrRequestsVersionTooOld, []string{}, []string{}},
	"requests_toolbelt.FileNotSupportedError":            {toolbelt.ErrFileNotSupported, []string{}, []string{}},
	"requests_toolbelt.ImproperBodyPartContentException": {toolbelt.ErrImproperBodyPartContent, []string{}, []string{}},
	"requests_toolbelt.NonMultipartContentTypeException": {toolbelt.ErrNonMultipartContentType, []string{}, []string{}},
}

// notOfRequests wants an error to be found under no class of Requests but the one that all errors of this package are.
func notOfRequests(err error) error {
	for _, k := range errorKinds {
		if k.kind != requests.ErrRequest && errors.Is(err, k.kind) {
			return fmt.Errorf("%w is %s, which its class is not", err, k.name)
		}
	}
	return nil
}

func kindOf(class string) requests.Kind {
	for _, k := range errorKinds {
		if k.name == class {
			return k.kind
		}
	}
	return 0
}

// failures brings each error of urllib3 about that a server, a proxy or a resolver can cause.
var failures = map[string]func(t *testing.T, a ...requests.AdapterOption) error{
	"OSError":         droppedReply,
	"ProtocolError":   droppedReply,
	"ClosedPoolError": droppedReply,
	"IncompleteRead":  cutHeadReply,
	"HTTPError":       cutHeadReply,
	"ConnectTimeoutError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, wiretest.Origin(t, wiretest.Text(200, "")).URL("/"), requests.Timeouts{Connect: 1}, a...)
	},
	"TimeoutError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, wiretest.Origin(t, wiretest.Reply{}).URL("/"), requests.Timeouts{Read: 50 * time.Millisecond}, a...)
	},
	"ConnectionResetError": droppedReply,
	"SSLError":             noTLS,
	"NewConnectionError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, "http://"+wiretest.Closed(t)+"/", nil, a...)
	},
	"NameResolutionError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, "http://nobody.test/", nil, append(a, requests.ResolveWith(noNames{}))...)
	},
	"ProxyError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, "http://h.test/", requests.Proxies{"http": "http://" + wiretest.Closed(t)}, a...)
	},
	"ReadTimeoutError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, wiretest.Origin(t, wiretest.Reply{}).URL("/"), requests.Timeouts{Read: 50 * time.Millisecond}, a...)
	},
	"ResponseError": func(t *testing.T, a ...requests.AdapterOption) error {
		return getError(t, wiretest.Origin(t, wiretest.Text(500, "")).URL("/"), nil, a...)
	},
}

func droppedReply(t *testing.T, a ...requests.AdapterOption) error {
	return getError(t, wiretest.Origin(t, wiretest.Drop()).URL("/"), nil, a...)
}

// cutHeadReply ends inside its head.
func cutHeadReply(t *testing.T, a ...requests.AdapterOption) error {
	return getError(t, wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nX").ThenClose()).URL("/"), nil, a...)
}

func noTLS(t *testing.T, a ...requests.AdapterOption) error {
	url := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().WrongHost()}).URL("/")
	return getError(t, url, nil, a...)
}

// noNames is a resolver that knows nobody.
type noNames struct{}

func (noNames) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such host")
}

func getError(t *testing.T, url string, option requests.Option, a ...requests.AdapterOption) error {
	t.Helper()
	s := requests.NewSession()
	s.TrustEnv = false
	adapter := requests.NewHTTPAdapter(a...)
	s.Mount("http://", adapter)
	s.Mount("https://", adapter)
	defer s.Close()
	_, err := s.Get(t.Context(), url, option)
	return err
}

// raisedBare are errors that urllib3 never lets out without MaxRetryError around them: the recordings raise them by force.
var raisedBare = map[string]bool{"NewConnectionError": true, "ConnectTimeoutError": true, "IncompleteRead": true, "HTTPError": true}

// adapterError has the failure happen, with retries for "MaxRetryError(..)".
func adapterError(t *testing.T, in input) (any, error) {
	raised := in.text("raised")
	reason, wrapped := strings.CutPrefix(raised, "MaxRetryError(")
	fail := failures[strings.TrimSuffix(reason, ")")]
	if fail == nil || !wrapped && raisedBare[reason] {
		return nil, cannot("%s is raised by Python alone", raised)
	}
	var retries []requests.AdapterOption
	if wrapped {
		retries = append(retries, requests.Retries(requests.Retry{Total: 1, StatusForcelist: []int{500}}))
	}
	err := fail(t, retries...)
	names := errorNames(err)
	class := mostDerived(names)
	slices.SortFunc(names, func(a, b string) int { return len(errorNames(kindOf(b))) - len(errorNames(kindOf(a))) })
	e, ok := errors.AsType[*requests.Error](err)
	return map[string]any{"class": class, "bases": names, "has_request": ok && e.Request != nil}, nil
}

// streamError has the reading of a body fail.
func streamError(t *testing.T, in input) (any, error) {
	replies := map[string]wiretest.Reply{
		"ProtocolError":    wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").ThenClose(),
		"DecodeError":      wiretest.Text(200, "no gzip", [2]string{"Content-Encoding", "gzip"}),
		"ReadTimeoutError": wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
	}
	reply, ok := replies[in.text("raised")]
	if !ok {
		return nil, cannot("%s cannot be brought about by a reply", in.text("raised"))
	}
	url := wiretest.Origin(t, reply).URL("/")
	limit, err := time.Minute, error(nil)
	if in.text("raised") == "ReadTimeoutError" {
		limit = 50 * time.Millisecond
	}
	for range 100 { // a busy machine may be too late with the head
		if err = getError(t, url, requests.Timeouts{Read: limit}); limit == time.Minute || errors.Is(err, requests.ErrBodyTimeout) {
			break
		}
	}
	return mostDerived(errorNames(err)), nil
}

// timeoutLimits shows what Timeouts make of urllib3's keywords.
func timeoutLimits(_ *testing.T, in input) (any, error) {
	var limits requests.Timeouts
	kwargs := in.object("kwargs")
	for name, field := range map[string]*time.Duration{"total": &limits.Total, "connect": &limits.Connect, "read": &limits.Read} {
		d, err := timeoutOf(kwargs, name)
		if err != nil {
			return nil, err
		}
		*field = d
	}
	if err := limits.Apply(&requests.Request{}); err != nil {
		return nil, err
	}
	if in.present("socket_default") {
		return nil, cannot("there is no default of the process")
	}
	connect, read := limits.Limits(time.Duration(in.int("elapsed")) * time.Second)
	if !in.bool("started") && in.has("started") {
		if limits.Total != 0 && limits.Total != requests.Forever && (limits.Read == 0 || limits.Read == requests.Forever) {
			return nil, cannot("a clock that was not started")
		}
		_, read = requests.Timeouts{Read: limits.Read}.Limits(0)
	}
	shown := func(d time.Duration) any {
		if d == requests.Forever {
			return nil
		}
		return d.Seconds()
	}
	out := map[string]any{"total": shown(cmp.Or(limits.Total, requests.Forever)), "connect_timeout": shown(connect), "read_timeout": shown(read)}
	if limits.Connect == 0 && connect == requests.Forever {
		out["connect_timeout"] = "default"
	}
	return out, nil
}

func timeoutOf(kwargs input, name string) (time.Duration, error) {
	switch value := kwargs.fields[name]; {
	case !kwargs.has(name), value == "default" && name != "total":
		return 0, nil
	case value == nil:
		return requests.Forever, nil
	case isNumber(value):
		return time.Duration(floatOf(value) * float64(time.Second)), nil
	}
	return 0, cannot("a timeout is a time.Duration")
}

func isNumber(value any) bool { _, ok := value.(json.Number); return ok }
