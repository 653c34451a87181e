package requests_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// echoServer answers with what it received, gzipped when that is welcome, after a
// 103, with a trailer behind.
func echoServer(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Link", "</style>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "X-Sum")
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		text := fmt.Sprintf("%s %s cookie=%s team=%s len=%d body=%s", r.Method, r.URL, r.Header.Get("Cookie"), r.Header.Get("X-Team"), r.ContentLength, body)
		var out io.Writer = w
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			out = z
		}
		_, _ = io.WriteString(out, text)
		w.Header().Set("X-Sum", "42")
	}))
	t.Cleanup(server.Close)
	return server
}

func TestSessionRoundTripper(t *testing.T) {
	server := echoServer(t)
	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("X-Team", "search")
	client := &http.Client{Transport: s.RoundTripper()}
	type seen struct {
		Body, Trailer, Hint string
		Uncompressed        bool
	}
	send := func(body string) seen {
		var got seen
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			got.Hint = fmt.Sprint(code, " ", h.Get("Link"))
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, "POST", server.URL+"/x?a=1", strings.NewReader(body))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got.Body, got.Trailer, got.Uncompressed = string(text), resp.Trailer.Get("X-Sum"), resp.Uncompressed
		return got
	}
	want := []seen{
		{"POST /x?a=1 cookie= team=search len=5 body=hello", "42", "103 </style>; rel=preload", true},
		{"POST /x?a=1 cookie=seen=yes team=search len=5 body=again", "42", "103 </style>; rel=preload", true},
	}
	got := []seen{send("hello"), send("again")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAdapterTransport(t *testing.T) {
	server := echoServer(t)
	a := requests.NewHTTPAdapter()
	defer a.Close()
	client := &http.Client{Transport: requests.AdapterTransport(a)}
	req, _ := http.NewRequestWithContext(t.Context(), "PUT", server.URL+"/y", strings.NewReader("plain"))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if diff := cmp.Diff("PUT /y cookie= team= len=5 body=plain", string(text)); diff != "" || err != nil {
		t.Errorf("(-want +got)\n%s%v", diff, err)
	}
	client.CloseIdleConnections()
}

// TestRoundTripperLengths: a body whose length is not known goes out in chunks, with a
// GetBody as well, and one that is not as long as announced is an error.
func TestRoundTripperLengths(t *testing.T) {
	server := wiretest.Origin(t)
	client := &http.Client{Transport: newTestSession(t).RoundTripper()}
	send := func(body io.Reader, length int64) error {
		req, err := http.NewRequest("POST", server.URL("/"), body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := send(strings.NewReader("abc"), -1); err != nil {
		t.Error(err)
	}
	for _, length := range []int64{2, 4} {
		if err := send(strings.NewReader("abc"), length); !errors.Is(err, requests.ErrBodyLength) {
			t.Errorf("%d announced: %v", length, err)
		}
	}
	for _, got := range server.Requests() {
		if got.Err == nil && (got.Body != "abc" || got.Get("Transfer-Encoding") != "chunked") {
			t.Errorf("the server took %q of %v", got.Body, got.Fields)
		}
	}
}

// TestRoundTripperFramingFields: fields that the http.Request says by its own fields are not taken from its Header, in no
// spelling: not even where the usual one is, they would be a second Host or a second length.
func TestRoundTripperFramingFields(t *testing.T) {
	server := wiretest.Origin(t)
	client := &http.Client{Transport: newTestSession(t).RoundTripper()}
	for _, name := range []string{"Host", "host", "HOST", "content-length", "Content-length", "transfer-encoding", "TRANSFER-ENCODING", "trailer"} {
		req, err := http.NewRequest("POST", server.URL("/"), strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{name: {"chunked"}, "X-Own": {"1"}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(name, err)
		}
		resp.Body.Close()
	}
	for _, got := range server.Requests() {
		var fields [][2]string
		for _, f := range got.Fields {
			if !strings.HasPrefix(f[0], "Accept") && f[0] != "User-Agent" {
				fields = append(fields, f)
			}
		}
		want := [][2]string{{"Host", server.Addr()}, {"Connection", "keep-alive"}, {"X-Own", "1"}, {"Content-Length", "3"}}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
