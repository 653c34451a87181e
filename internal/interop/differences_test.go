package interop

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// A departure is where a check of the contract shows something else here than over
// http.Transport, on purpose.
type departure struct {
	row   string // of the guide's table
	check string
	on    func(lane) bool
	edit  []string // what http.Transport shows, and what is shown here
	below bool     // it is for http.Transport to decide, below an adapter too
}

var departures = []departure{
	{"the cause of a canceled context is reachable over HTTP/2, too", "cancellation with a cause", overHTTP2, []string{"false", "true"}, false},
	{"the cause of a canceled context is reachable over HTTP/2, too", "cause in the body", overHTTP2, []string{"false", "true"}, false},
	{"blanks around a header's value are cut over HTTP/2, too", "headers", overHTTP2, []string{"X-Blank[ v ]", "X-Blank[v]"}, false},
	{"the zone of an address is no part of Host over HTTP/2, either", "host with a zone", overHTTP2, []string{"%25eth0", ""}, false},
	{"the Body of an empty response is `http.NoBody` over HTTP/2, too", "empty responses", overHTTP2, []string{"204 0 false", "204 0 true", "200 0 false", "200 0 true"}, false},
	{"a body shorter than its Content-Length is an error over HTTP/2, too", "lengths that lie", overHTTP2, []string{"6 false", "6 true", "100 false", "100 true"}, false},
	{"a proxy is asked for the URL's host, in absolute form whatever `URL.Opaque` is", "OPTIONS *", forwarded,
		[]string{"502 ", `200 OPTIONS http://HOST host=HOST fields=[] length=0 te=[] body=""/0 trailers=[] <nil>`}, true},
	{"a proxy is asked for the URL's host, in absolute form whatever `URL.Opaque` is", "host", forwarded,
		[]string{"502 ", `200 GET http://HOST/ host=HOST fields=[] length=0 te=[] body=""/0 trailers=[] <nil>`}, true},
	{"GetConn of a trace names the proxy for each HTTP/2 request through one", "trace of several requests", proxiedHTTP2, []string{"GetConn server", "GetConn proxy"}, true},
	{"GetConn of a trace names the proxy for each HTTP/2 request through one", "trace of a redirect", proxiedHTTP2, []string{"GetConn server", "GetConn proxy"}, true},
	{"GetConn of a trace names the proxy for each HTTP/2 request through one", "trace of a held back body", proxiedHTTP2, []string{"GetConn server", "GetConn proxy"}, true},
}

func proxiedHTTP2(l lane) bool { return l.protocol == "h2" && l.hop != "direct" }
func overHTTP2(l lane) bool    { return l.protocol == "h2" }
func forwarded(l lane) bool    { return l.protocol == "h1" && strings.HasSuffix(l.hop, "proxy") }

// departing is what a check is to show here, where it shows want over http.Transport.
func departing(check string, l lane, c carrier, want string) string {
	for _, d := range departures {
		if d.check == check && d.on(l) && !(d.below && c.name == overNetHTTP) {
			return strings.NewReplacer(d.edit...).Replace(want)
		}
	}
	return want
}

// A difference is a row of the guide's table that no check of the contract shows.
type difference struct {
	row                  string
	shows                func(t *testing.T, make func(link) http.RoundTripper) string
	there, here, adapter string // over http.Transport, a Session, and an adapter alone
}

var differences = []difference{
	{"the User-Agent is the session's", userAgent, "Go-http-client", "go-requests", "go-requests-transport"},
	{"what a redirect may carry to another origin is decided by the session's Policy", carried, "[secret]", "[]", "[secret]"},
	{"`AdapterTransport` never decodes a body, and asks for no coding", coded, "[gzip] true hello", "[gzip, deflate, br, zstd] true hello", "[] false hello"},
	{"a Session also asks for deflate, br and zstd", coded, "[gzip] true hello", "[gzip, deflate, br, zstd] true hello", "[] false hello"},
	{"a coded body that is cut short is `ErrContentDecoding` and, to `errors.Is`, `io.ErrUnexpectedEOF`", cutCoding, "true true false", "false true true", "false false false"},
	{"an error of connecting is a `*requests.Error` around the `*net.OpError`", unconnected, "*net.OpError true", "*requests.Error true", "*requests.Error true"},
	{"a body held back for a 100 is not sent behind a status of 400 or more, and the connection ends", heldBack, "413 true body", "413 false ", "413 false "},
	{"a success to CONNECT is a tunnel, whatever fields it has", rawly("CONNECT", "200 OK\r\nContent-Length: 6\r\n\r\ninside, and more"), "200 inside", "200 inside, and more", "200 inside, and more"},
	{"a 101 that nobody asked for is an error", rawly("GET", "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), "101 ", "failed", "failed"},
	{"a blank before the colon of a field in a response is an error", rawly("GET", "200 OK\r\nContent-Length: 2\r\nX-Hidden : v\r\n\r\nok"), "200 ok", "failed", "failed"},
	{"a Host, Content-Length, Transfer-Encoding or Trailer in the header is not sent, in any case of letters", otherHost, "400", "200", "200"},
	{"a request that opens a connection waits for it", whichConnection, "reused", "its own", "its own"},
	{"deadlines of a connection from `adapters.Dialer` are set anew", withDeadline, "true", "false", "false"},
	{"`socks5://` has names looked up here, and `socks5h://` by the proxy", whoLooksUp, "proxy", "here", "here"},
	{"beneath a trace's `*tls.Conn` lies a socket of this package, which has SyscallConn", beneathTLS, "*net.TCPConn true", "*dial.timed true", "*dial.timed true"},
}

// TestDifferences shows each of them.
func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.row, func(t *testing.T) {
			got := []string{
				d.shows(t, func(l link) http.RoundTripper { return netTransport(t, l) }),
				d.shows(t, func(l link) http.RoundTripper {
					s := session(t, l)
					s.Headers = requests.NewSession().Headers
					return s.RoundTripper()
				}),
				d.shows(t, func(l link) http.RoundTripper { return adapterTransport(t, l) }),
			}
			if diff := cmp.Diff([]string{d.there, d.here, d.adapter}, got); diff != "" {
				t.Errorf("over http.Transport, a Session, an adapter (-want +got)\n%s", diff)
			}
		})
	}
}

// TestGuideLists: the guide's table has the rows that are shown, and no others.
func TestGuideLists(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide/net-http.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## What is different on purpose")
	table, _, _ = strings.Cut(table, "\n## ")
	var got []string
	for line := range strings.Lines(table) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) == 5 && !strings.Contains(line, "---") {
			got = append(got, strings.TrimSpace(cells[1]))
			if strings.TrimSpace(cells[3]) == "" {
				t.Errorf("%q has no reason", cells[1])
			}
		}
	}
	want := []string{"here", "a canceled body never ends in `io.EOF`"} // TestCanceledBodyIsNotWhole
	for _, d := range departures {
		want = append(want, d.row)
	}
	for _, d := range differences {
		want = append(want, d.row)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("rows (-shown +in the guide)\n%s", diff)
	}
}

type maker = func(link) http.RoundTripper

// otherHost is the status of a request with a field "host", which is a second one where it is sent.
func otherHost(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	req := get(t, "GET", base, nil).WithContext(limited(t))
	req.Header["host"] = []string{"other.test"}
	resp, err := make(l).RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	resp.Body.Close()
	return strconv.Itoa(resp.StatusCode)
}

func userAgent(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.UserAgent(), "/")
		io.WriteString(w, name)
	}))
	resp, err := make(l).RoundTrip(get(t, "GET", base, nil).WithContext(limited(t)))
	return textOf(resp, err)
}

// textOf is the body of a response.
func textOf(resp *http.Response, err error) string {
	if err != nil {
		return class(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

// carried shows what reaches another origin behind a redirect.
func carried(t *testing.T, make maker) string {
	other, _ := serve(t, "h1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header["X-Api-Key"]) }))
	base, l := serve(t, "h1", http.RedirectHandler(other, http.StatusFound))
	req := get(t, "GET", base, nil)
	req.Header.Set("X-Api-Key", "secret")
	resp, err := (&http.Client{Transport: make(l)}).Do(req.WithContext(limited(t)))
	return textOf(resp, err)
}

// coded shows which codings are asked for, and whether one is undone.
func coded(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Asked"] = r.Header["Accept-Encoding"]
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(compressed("hello"))
			return
		}
		io.WriteString(w, "hello")
	}))
	resp, err := make(l).RoundTrip(get(t, "GET", base, nil).WithContext(limited(t)))
	if err != nil {
		return class(err)
	}
	return fmt.Sprint(resp.Header["X-Asked"], resp.Uncompressed, " ", textOf(resp, nil))
}

func compressed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

// cutCoding shows what the error is of a coding that ends too early in a whole body.
func cutCoding(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(compressed("hello")[:20])
	}))
	resp, err := make(l).RoundTrip(get(t, "GET", base, nil).WithContext(limited(t)))
	if err != nil {
		return class(err)
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return fmt.Sprint(err == io.ErrUnexpectedEOF, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, requests.ErrContentDecoding))
}

func unconnected(t *testing.T, make maker) string {
	_, err := make(link{}).RoundTrip(get(t, "GET", "http://"+wiretest.Closed(t)+"/", nil).WithContext(limited(t)))
	op, ok := errors.AsType[*net.OpError](err)
	return fmt.Sprintf("%T %t", err, ok && op.Op == "dial")
}

// rawly shows status and body of a response that is these bytes behind its version.
func rawly(method, bytes string) func(t *testing.T, make maker) string {
	return func(t *testing.T, make maker) string {
		server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, "HTTP/1.1 "+bytes)
			}
		}})
		resp, err := make(link{}).RoundTrip(get(t, method, server.URL(""), nil).WithContext(limited(t)))
		if err != nil {
			return class(err)
		}
		return fmt.Sprint(resp.StatusCode, " ", textOf(resp, nil))
	}
}

// heldBack shows what the server gets behind its refusal, and whether the body is read.
func heldBack(t *testing.T, make maker) string {
	behind := newChannel[string]()
	server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
		body, _ := io.ReadAll(io.LimitReader(in, 4))
		behind <- string(body)
	}})
	body := &closing{Reader: strings.NewReader("body")}
	req := get(t, "POST", server.URL("/"), body)
	req.ContentLength = 4
	req.Header.Set("Expect", "100-continue")
	resp, err := make(link{}).RoundTrip(req.WithContext(limited(t)))
	if err != nil {
		return class(err)
	}
	resp.Body.Close()
	got := <-behind
	return fmt.Sprint(resp.StatusCode, body.read(), " ", got)
}

// newChannel hides make, which is a parameter here.
func newChannel[T any]() chan T { return make(chan T, 1) }

// whichConnection has a request dial while the connection of another becomes free, and shows
// which of the two it takes.
func whichConnection(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		io.WriteString(w, "ok")
	}))
	dialing, goOn, first := newChannel[bool](), newChannel[bool](), true
	l.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !first {
			dialing <- true
			<-goOn
		}
		first = false
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	rt := make(l)
	free := newChannel[bool]()
	ctx := httptrace.WithClientTrace(limited(t), &httptrace.ClientTrace{PutIdleConn: func(error) { free <- true }})
	one, err := rt.RoundTrip(get(t, "GET", base, nil).WithContext(ctx))
	if err != nil {
		return class(err)
	}
	shown := newChannel[string]()
	go func() {
		got := "its own"
		ctx := httptrace.WithClientTrace(limited(t), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
			if i.Reused {
				got = "reused"
			}
		}})
		resp, err := rt.RoundTrip(get(t, "GET", base, nil).WithContext(ctx))
		textOf(resp, err)
		shown <- got
	}()
	<-dialing
	textOf(one, nil)
	<-free
	goOn <- true
	return <-shown
}

// withDeadline shows whether a request fails by a deadline that its connection came with.
func withDeadline(t *testing.T, make maker) string {
	base, l := serve(t, "h1", http.HandlerFunc(echo))
	l.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = c.SetDeadline(time.Unix(1, 0))
		}
		return c, err
	}
	resp, err := make(l).RoundTrip(get(t, "GET", base, nil).WithContext(limited(t)))
	textOf(resp, err)
	return fmt.Sprint(errors.Is(err, os.ErrDeadlineExceeded))
}

// beneathTLS shows what a trace's connection stands on.
func beneathTLS(t *testing.T, make maker) (shown string) {
	base, l := serve(t, "tls", http.HandlerFunc(echo))
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		beneath := i.Conn.(*tls.Conn).NetConn()
		_, ok := beneath.(syscall.Conn)
		shown = fmt.Sprintf("%T %t", beneath, ok)
	}}
	resp, err := make(l).RoundTrip(get(t, "GET", base, nil).WithContext(httptrace.WithClientTrace(limited(t), trace)))
	textOf(resp, err)
	return shown
}

// whoLooksUp shows what a SOCKS5 proxy is asked for that is named by socks5://.
func whoLooksUp(t *testing.T, make maker) string {
	base, l := lane{"h1", "SOCKS5h"}.serve(t, http.HandlerFunc(echo))
	asked := newChannel[string]()
	l.proxy.Scheme = "socks5"
	l.proxy.Host = wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: func(target string) string {
		asked <- target
		return strings.Replace(target, "localhost", "127.0.0.1", 1)
	}}).Addr()
	resp, err := make(l).RoundTrip(get(t, "GET", strings.Replace(base, "127.0.0.1", "localhost", 1), nil).WithContext(limited(t)))
	if textOf(resp, err); err != nil {
		return class(err)
	}
	if strings.HasPrefix(<-asked, "localhost:") {
		return "proxy"
	}
	return "here"
}
