package toolbelt

import (
	"encoding/base64"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
)

// The archive as HAR 1.2 has it. What is not known is -1 there.

type harLog struct {
	Version string    `json:"version"`
	Creator harName   `json:"creator"`
	Entries []harItem `json:"entries"`
}

type harName struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type harItem struct {
	Started  string         `json:"startedDateTime"`
	Time     float64        `json:"time"`
	Request  harRequest     `json:"request"`
	Response harResponse    `json:"response"`
	Cache    struct{}       `json:"cache"`
	Timings  map[string]any `json:"timings"`
	Server   string         `json:"serverIPAddress,omitempty"`
	Conn     string         `json:"connection,omitempty"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harRequest struct {
	Method  string    `json:"method"`
	URL     string    `json:"url"`
	Proto   string    `json:"httpVersion"`
	Cookies []harPair `json:"cookies"`
	Headers []harPair `json:"headers"`
	Query   []harPair `json:"queryString"`
	Body    *harPost  `json:"postData,omitempty"`
	Head    int       `json:"headersSize"`
	Size    int64     `json:"bodySize"`
}

type harResponse struct {
	Status   int       `json:"status"`
	Reason   string    `json:"statusText"`
	Proto    string    `json:"httpVersion"`
	Cookies  []harPair `json:"cookies"`
	Headers  []harPair `json:"headers"`
	Content  harText   `json:"content"`
	Redirect string    `json:"redirectURL"`
	Head     int       `json:"headersSize"`
	Size     int64     `json:"bodySize"`
	Failure  string    `json:"_error,omitempty"`
}

// harText is a body. The size is that of the text, decoded.
type harText struct {
	Size     int64  `json:"size"`
	Type     string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	Cut      bool   `json:"_incomplete,omitempty"`
}

type harPost struct {
	Type     string    `json:"mimeType"`
	Params   []harPair `json:"params"`
	Text     string    `json:"text"`
	Encoding string    `json:"_encoding,omitempty"`
	Comment  string    `json:"comment,omitempty"`
}

func harCreator() harName {
	name, version, _ := strings.Cut(requests.DefaultUserAgent(), "/")
	return harName{name, version}
}

// harWriter writes entries, without secrets.
type harWriter struct{ secrets *secret.Names }

func newHARWriter(keep bool) harWriter {
	if keep {
		return harWriter{secret.None()}
	}
	return harWriter{secret.Default()}
}

func (w harWriter) item(e *harEntry) harItem {
	t := e.timing
	item := harItem{
		Started: e.started.Format("2006-01-02T15:04:05.000Z07:00"), Time: milliseconds(t.Total()),
		Request: w.request(e), Response: w.response(e), Timings: harTimings(t),
	}
	if t.Remote != nil {
		item.Server = t.Remote.String()
		if host, _, err := net.SplitHostPort(item.Server); err == nil {
			item.Server = host
		}
	}
	if t.Local != nil {
		item.Conn = t.Local.String()
	}
	return item
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// harTimings puts the phases where HAR has them: connect is all of opening the connection.
func harTimings(t requests.Timing) map[string]any {
	m := map[string]any{"blocked": milliseconds(t.Wait), "send": 0, "wait": milliseconds(t.FirstByte), "receive": milliseconds(t.Body), "dns": -1, "connect": -1, "ssl": -1}
	if t.DNS > 0 {
		m["dns"] = milliseconds(t.DNS)
	}
	if opening := t.Connect + t.Proxy + t.TLS; opening > 0 {
		m["connect"] = milliseconds(opening)
	}
	if t.TLS > 0 {
		m["ssl"] = milliseconds(t.TLS)
	}
	return m
}

func (w harWriter) request(e *harEntry) harRequest {
	p := e.request
	out := harRequest{
		Method: p.Method, URL: valid(w.secrets.URL(p.URL)), Proto: "HTTP/1.1", Headers: w.fields(p.Headers),
		Cookies: w.cookies("Cookie", p.Headers), Head: -1, Size: p.ContentLength(),
	}
	if e.response != nil {
		out.Proto = e.response.Proto
	}
	out.Query = queryPairs(out.URL)
	data, memory := p.Body()
	switch {
	case !memory:
		out.Body = &harPost{Type: valid(p.Headers.Get("Content-Type")), Params: []harPair{}, Comment: "a stream, which is not recorded"}
	case len(data) > 0:
		kind := p.Headers.Get("Content-Type")
		shown := w.secrets.Coded(kind, data, func() ([]byte, error) { return undone(p.Headers, data) })
		t := asText(kind, len(data), shown)
		out.Body = &harPost{Type: t.Type, Params: []harPair{}, Text: t.Text, Encoding: t.Encoding}
	}
	return out
}

func queryPairs(address string) []harPair {
	pairs := []harPair{}
	_, query, _ := strings.Cut(address, "?")
	query, _, _ = strings.Cut(query, "#")
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, harPair{unquoted(name), unquoted(value)})
	}
	return pairs
}

// unquoted undoes the coding of a query where it can.
func unquoted(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return valid(plain)
	}
	return text
}

// valid is text as JSON can hold it.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

func (w harWriter) fields(h requests.Headers) []harPair {
	pairs := []harPair{}
	for _, f := range w.secrets.Fields(h) {
		pairs = append(pairs, harPair{valid(f[0]), valid(f[1])})
	}
	return pairs
}

// cookies are those of Cookie or Set-Cookie fields, without attributes.
func (w harWriter) cookies(name string, h requests.Headers) []harPair {
	pairs := []harPair{}
	for _, field := range h.Values(name) {
		if name == "Set-Cookie" {
			field, _, _ = strings.Cut(field, ";")
		}
		for pair := range strings.SplitSeq(w.secrets.Field(name, field), ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			pairs = append(pairs, harPair{valid(key), valid(value)})
		}
	}
	return pairs
}

func (w harWriter) response(e *harEntry) harResponse {
	r := e.response
	if r == nil {
		failure := "no response"
		if e.failure != nil {
			failure = secret.Clean(w.secrets.Text(e.failure.Error()))
		}
		return harResponse{Proto: "", Cookies: []harPair{}, Headers: []harPair{}, Head: -1, Size: -1, Failure: valid(failure)}
	}
	out := harResponse{
		Status: r.StatusCode, Reason: valid(r.Reason), Proto: r.Proto, Headers: w.fields(r.Headers), Cookies: w.cookies("Set-Cookie", r.Headers),
		Redirect: valid(w.secrets.URL(r.Headers.Get("Location"))), Head: -1, Size: -1,
	}
	out.Content = *w.content(e)
	if out.Content.Cut = !e.complete; e.complete {
		out.Size = int64(len(e.body))
	}
	return out
}

// content is the body as far as it was read, without its content coding.
func (w harWriter) content(e *harEntry) *harText {
	kind := e.response.Headers.Get("Content-Type")
	plain, err := undone(e.response.Headers, e.body)
	if err != nil {
		return asText(kind, len(e.body), w.secrets.Opaque(e.body))
	}
	return asText(kind, len(plain), w.secrets.Body(kind, plain))
}

// asText is a body of so many bytes, of which text may be shown.
func asText(kind string, size int, text []byte) *harText {
	t := &harText{Size: int64(size), Type: valid(kind), Text: string(text)}
	if !utf8.Valid(text) {
		t.Text, t.Encoding = base64.StdEncoding.EncodeToString(text), "base64"
	}
	return t
}
