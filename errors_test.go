package requests

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// pythonClasses are Requests' exceptions and the kinds that stand for them.
var pythonClasses = map[string]Kind{
	"RequestException": ErrRequest, "HTTPError": ErrHTTP, "ConnectionError": ErrConnection, "ProxyError": ErrProxy,
	"SSLError": ErrSSL, "Timeout": ErrTimeout, "ConnectTimeout": ErrConnectTimeout, "ReadTimeout": ErrReadTimeout,
	"URLRequired": ErrURLRequired, "TooManyRedirects": ErrTooManyRedirects, "MissingSchema": ErrMissingSchema,
	"InvalidSchema": ErrInvalidSchema, "InvalidURL": ErrInvalidURL, "InvalidHeader": ErrInvalidHeader,
	"InvalidProxyURL": ErrInvalidProxyURL, "ChunkedEncodingError": ErrChunkedEncoding,
	"ContentDecodingError": ErrContentDecoding, "StreamConsumedError": ErrStreamConsumed, "RetryError": ErrRetry,
	"UnrewindableBodyError": ErrUnrewindableBody, "InvalidJSONError": ErrInvalidJSON, "JSONDecodeError": ErrJSONDecode,
}

// TestKindsAreRequestsTree asks for every pair of recorded exceptions whether the one is the other: as much as Python
// says, and no more. A Kind by itself and an *Error of it answer alike.
func TestKindsAreRequestsTree(t *testing.T) {
	type class struct {
		In  struct{ Module, Name string }
		Out struct{ MRO []string }
	}
	for _, c := range cases.Recorded[class](t, "exceptions") {
		kind, ok := pythonClasses[c.In.Name]
		if !ok || c.In.Module != "requests" {
			continue // a warning, which is not an error; or urllib3's own
		}
		var want, kinds, errs []string
		for name, other := range pythonClasses {
			if slices.Contains(c.Out.MRO, name) {
				want = append(want, name)
			}
			if errors.Is(kind, other) {
				kinds = append(kinds, name)
			}
			if errors.Is(&Error{Kind: kind, Err: io.EOF}, other) {
				errs = append(errs, name)
			}
		}
		slices.Sort(want)
		slices.Sort(kinds)
		slices.Sort(errs)
		if diff := cmp.Diff([][]string{want, want}, [][]string{kinds, errs}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.In.Name, diff)
		}
	}
}

// TestKindsOfOurOwn: what Requests has no class for is below one of its classes, and every kind has a name.
func TestKindsOfOurOwn(t *testing.T) {
	want := map[Kind][]Kind{
		ErrBodyTimeout: {ErrReadTimeout, ErrTimeout, ErrConnection}, ErrTotalTimeout: {ErrTimeout},
		ErrPoolTimeout: {ErrConnection, ErrTimeout}, ErrWriteTimeout: {ErrConnection, ErrTimeout},
		ErrConnect: {ErrConnection}, ErrInvalidTimeout: {ErrInvalidArgument}, ErrInvalidMethod: {ErrInvalidArgument},
		ErrInvalidBody: {ErrInvalidArgument}, ErrRedirectDowngrade: {ErrInvalidURL}, ErrRedirectScheme: {ErrInvalidSchema},
	}
	names := map[string]bool{}
	for k := Kind(1); k < kindCount; k++ {
		names[k.Error()] = true
		if !errors.Is(k, k) || !errors.Is(k, ErrRequest) {
			t.Errorf("%v is not itself, or no ErrRequest", k)
		}
		for _, parent := range want[k] {
			if !errors.Is(k, parent) || errors.Is(parent, k) {
				t.Errorf("%v and %v: not a kind of it, or the other way round as well", k, parent)
			}
		}
	}
	if diff := cmp.Diff([]any{int(kindCount) - 1, "unknown kind", "unknown kind", false}, []any{len(names), Kind(0).Error(), kindCount.Error(), errors.Is(kindCount, ErrRequest)}); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
}

// TestCauses: errors.As and errors.Is reach what lies beneath.
func TestCauses(t *testing.T) {
	secure := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	short := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").ThenClose())
	words := wiretest.Origin(t, wiretest.Text(200, `{"a": words}`))
	mute := wiretest.Origin(t, wiretest.Reply{})
	proxy := wiretest.Origin(t, wiretest.Text(407, "no"))
	why := errors.New("the user pressed Escape")
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	s := NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("https://wrong.test", NewHTTPAdapter(ResolveTo(map[string]string{"wrong.test": secure.Addr()})))
	s.Mount("http+retry://", AdapterFunc(func(ctx context.Context, p *PreparedRequest, o SendOptions) (*Response, error) {
		p = p.Clone()
		p.URL = "http://" + wiretest.Closed(t)
		return NewHTTPAdapter(MaxRetries(1)).Send(ctx, p, o)
	}))
	get := func(url string, o ...Option) func() error {
		return func() error { _, err := s.Get(t.Context(), url, o...); return err }
	}
	for name, c := range map[string]struct {
		call func() error
		kind Kind
		has  func(err error) bool
	}{
		"refused": {get("http://" + wiretest.Closed(t)), ErrConnect, func(err error) bool {
			op, ok := errors.AsType[*net.OpError](err)
			return ok && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED)
		}},
		"unknown authority": {get(secure.URL("/")), ErrSSL, func(err error) bool {
			e, ok := errors.AsType[*tls.CertificateVerificationError](err)
			_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
			return ok && unknown && len(e.UnverifiedCertificates) == 1
		}},
		"wrong name": {get("https://wrong.test/", CABundlePEM(wiretest.TestCA().PEM())), ErrSSL, func(err error) bool {
			e, ok := errors.AsType[x509.HostnameError](err)
			return ok && e.Host == "wrong.test"
		}},
		"cut short": {get(short.URL("/")), ErrChunkedEncoding, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"not JSON": {func() error {
			r, err := s.Get(t.Context(), words.URL("/"))
			if err != nil {
				return err
			}
			return r.JSON(new(any))
		}, ErrJSONDecode, func(err error) bool {
			e, ok := errors.AsType[*json.SyntaxError](err)
			return ok && e.Offset > 0
		}},
		"not to JSON": {get(words.URL("/"), JSON(math.Inf(1))), ErrInvalidJSON, func(err error) bool {
			_, ok := errors.AsType[*json.UnsupportedValueError](err)
			return ok
		}},
		"no file": {get(secure.URL("/"), CABundle("/nowhere/ca.pem")), ErrFile, func(err error) bool {
			e, ok := errors.AsType[*fs.PathError](err)
			return ok && e.Path == "/nowhere/ca.pem" && errors.Is(err, fs.ErrNotExist)
		}},
		"canceled": {func() error { _, err := s.Get(canceled, words.URL("/")); return err }, ErrCanceled, func(err error) bool {
			return errors.Is(err, context.Canceled) && errors.Is(err, why)
		}},
		"too late": {get(mute.URL("/"), Timeouts{Read: 20 * time.Millisecond}), ErrReadTimeout, func(err error) bool {
			e, ok := errors.AsType[net.Error](err)
			return ok && e.Timeout() && errors.Is(err, os.ErrDeadlineExceeded)
		}},
		"retried": {get("http+retry://h/"), ErrConnect, func(err error) bool {
			e, ok := errors.AsType[*MaxRetryError](err)
			return ok && len(e.History) == 2 && errors.Is(err, syscall.ECONNREFUSED)
		}},
		"refused by a proxy": {get("https://h.test/", Proxies{"https": proxy.URL("")}), ErrProxy, func(err error) bool {
			e, ok := errors.AsType[*Error](err)
			return ok && e.Response != nil && e.Response.StatusCode == 407
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call()
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != c.kind || !c.has(err) {
				t.Errorf("%v: not a %v, or without its cause", err, c.kind)
			}
		})
	}
}
