package toolbelt

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// recordedExchange is a response as the vectors of dumps describe it.
type recordedExchange struct {
	Status  int
	Reason  json.RawMessage // absent: OK; null: none
	Version *int
	Headers [][2]string
	Content recordedBytes
	Proxied bool
	Request struct {
		Method  string
		URL     string
		Headers [][2]string
		Body    *recordedBody
	}
	History []*recordedExchange
}

type recordedBody struct {
	data   recordedBytes
	object bool
}

func (b *recordedBody) UnmarshalJSON(raw []byte) error {
	if bytes.Contains(raw, []byte(`"object"`)) {
		b.object = true
		return nil
	}
	return b.data.UnmarshalJSON(raw)
}

func (e *recordedExchange) response(t *testing.T) *requests.Response {
	t.Helper()
	p := &requests.PreparedRequest{Method: e.Request.Method, URL: e.Request.URL}
	if b := e.Request.Body; b != nil && b.object {
		if err := p.SetBodyReader(io.NopCloser(strings.NewReader("x"))); err != nil {
			t.Fatal(err)
		}
	} else if b != nil {
		p.SetBody(b.data)
	}
	p.Headers = e.Request.Headers
	r := requests.NewResponse(p, e.Status, e.Headers, io.NopCloser(bytes.NewReader(e.Content)))
	r.Reason = "OK"
	if e.Reason != nil {
		r.Reason = ""
		if err := json.Unmarshal(e.Reason, &r.Reason); err != nil {
			t.Fatal(err)
		}
	}
	if e.Version != nil {
		r.Proto = cmp.Or(map[int]string{9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}[*e.Version], "something else")
	}
	for _, h := range e.History {
		r.History = append(r.History, h.response(t))
	}
	return r
}

// proxiedBy makes the option that shows what was recorded as proxied.
func proxiedBy(e *recordedExchange, r *requests.Response) DumpOption {
	proxied := map[*requests.Response]bool{r: e.Proxied}
	for i, h := range e.History {
		proxied[r.History[i]] = h.Proxied
	}
	return DumpProxied(func(r *requests.Response) bool { return proxied[r] })
}

type dumpInput struct {
	Response       recordedExchange
	RequestPrefix  *recordedBytes `json:"request_prefix"`
	ResponsePrefix *recordedBytes `json:"response_prefix"`
	Initial        recordedBytes
}

func (in *dumpInput) options(r *requests.Response) []DumpOption {
	request, response := recordedBytes("< "), recordedBytes("> ")
	if in.RequestPrefix != nil {
		request = *in.RequestPrefix
	}
	if in.ResponsePrefix != nil {
		response = *in.ResponsePrefix
	}
	return []DumpOption{DumpPrefixes(string(request), string(response)), DumpSecrets(), proxiedBy(&in.Response, r)}
}

func TestDumpVectors(t *testing.T) {
	dumps := map[string]func(*requests.Response, ...DumpOption) ([]byte, error){
		"toolbelt_dump_response": DumpResponse,
		"toolbelt_dump_all":      DumpAll,
	}
	for kind, dump := range dumps {
		for _, v := range cases.Recorded[vector[dumpInput]](t, kind) {
			t.Run(v.ID, func(t *testing.T) {
				var want recordedBytes
				v.out(t, &want)
				r := v.In.Response.response(t)
				got, err := dump(r, v.In.options(r)...)
				if err != nil {
					t.Fatal(err)
				}
				got = append(v.In.Initial, got...)
				if diff := gocmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestDumpMasksSecrets(t *testing.T) {
	origin := wiretest.Origin(t,
		wiretest.Text(302, "", [2]string{"Location", "/next?token=T0&a=b"}, [2]string{"Set-Cookie", "sid=S3CRET; Path=/; HttpOnly"}),
		wiretest.Text(200, "body", [2]string{"X-Session-Id", "S3CRET"}))
	s := requests.NewSession()
	defer s.Close()
	url := strings.Replace(origin.URL("/login?api_key=S3CRET&x=1"), "//", "//user:S3CRET@", 1)
	r, err := s.Post(t.Context(), url, requests.Form{{"user", "ada"}, {"password", "S3CRET"}},
		requests.Headers{{"X-Api-Key", "S3CRET"}, {"x-Plain", "shown"}, {"Cookie", "a=S3CRET; b=S3CRET"}})
	if err != nil {
		t.Fatal(err)
	}
	dump, err := DumpAll(r)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(origin.Addr(), "ADDR").Replace(string(dump))
	if strings.Contains(text, "S3CRET") || strings.Contains(text, "T0") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	for _, line := range []string{
		"< POST /login?api_key=***&x=1 HTTP/1.1\r\n", "< Host: ***@ADDR\r\n", "< Authorization: Basic ***\r\n",
		"< X-Api-Key: ***\r\n", "< x-Plain: shown\r\n", "< Cookie: a=***; b=***\r\n", "< user=ada&password=***\r\n",
		"> HTTP/1.1 302 Found\r\n", "> Location: /next?token=***&a=b\r\n", "> Set-Cookie: sid=***; Path=/; HttpOnly\r\n",
		"> X-Session-Id: ***\r\n", "\r\nbody",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	open, _ := DumpAll(r, DumpSecrets())
	if n := strings.Count(string(open), "S3CRET"); n < 7 {
		t.Errorf("DumpSecrets shows %d secrets:\n%s", n, open)
	}
}

func TestDumpThroughProxy(t *testing.T) {
	proxy := wiretest.Origin(t)
	s := requests.NewSession()
	defer s.Close()
	tests := map[string]struct {
		option requests.Option
		want   string
	}{
		"proxied": {requests.Proxies{"http": "http://u:S3CRET@" + proxy.Addr()}, "< GET http://" + proxy.Addr() + "/a HTTP/1.1\r\n"},
		"direct":  {requests.NoProxy, "< GET /a HTTP/1.1\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := s.Get(t.Context(), proxy.URL("/a"), test.option)
			if err != nil {
				t.Fatal(err)
			}
			dump, err := DumpResponse(r)
			if err != nil || !strings.HasPrefix(string(dump), test.want) || strings.Contains(string(dump), "S3CRET") {
				t.Errorf("got %q, %v, want it to begin with %q", dump, err, test.want)
			}
		})
	}
}

func TestDumpErrors(t *testing.T) {
	for name, r := range map[string]*requests.Response{"nil": nil, "no request": {StatusCode: 200}} {
		if _, err := DumpResponse(r); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: DumpResponse gives %v", name, err)
		}
		if _, err := DumpAll(r); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: DumpAll gives %v", name, err)
		}
	}
	origin := wiretest.Origin(t)
	s := requests.NewSession()
	defer s.Close()
	r, err := s.Get(t.Context(), origin.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	dump, err := DumpResponse(r)
	if !errors.Is(err, requests.ErrStreamConsumed) || !bytes.Contains(dump, []byte("> HTTP/1.1 200 OK\r\n")) {
		t.Errorf("a closed response gives %q, %v", dump, err)
	}
}

// TestDumpAsIs: a dump shows the target that was sent.
func TestDumpAsIs(t *testing.T) {
	r := &requests.Request{}
	if err := requests.AsIs("http://h.test/a/../b?q=[1]").Apply(r); err != nil {
		t.Fatal(err)
	}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	out, err := DumpResponse(requests.NewResponse(p, 200, nil, io.NopCloser(strings.NewReader(""))))
	if first, _, _ := strings.Cut(string(out), "\r\n"); first != "< GET /a/../b?q=[1] HTTP/1.1" || err != nil {
		t.Errorf("%s, %v", first, err)
	}
}
