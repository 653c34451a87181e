package appengine

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// fetchRequest is a URLFetchRequest, as its proto file numbers the fields.
type fetchRequest struct {
	method   uint64
	url      string
	headers  [][2]string
	payload  []byte
	validate bool
	deadline bool
}

var methods = map[uint64]string{1: "GET", 2: "POST", 3: "HEAD", 4: "PUT", 5: "DELETE", 6: "PATCH"}

// apiHost plays the service's side: it decodes the RPC and fetches for real.
type apiHost struct {
	client *http.Client // checks certificates

	mu   sync.Mutex
	seen []fetchRequest
}

// startHost starts an API host and points the App Engine package at it.
func startHost(t *testing.T, client *http.Client) *apiHost {
	h := &apiHost{client: client}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	host, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	t.Setenv("API_HOST", host)
	t.Setenv("API_PORT", port)
	return h
}

func (h *apiHost) requests() []fetchRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

// ServeHTTP answers POST /rpc_http.
func (h *apiHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := fields(body)
	if r.URL.Path != "/rpc_http" || call.text(2) != "urlfetch" || call.text(3) != "Fetch" {
		http.Error(w, "no such call", http.StatusNotFound)
		return
	}
	f := decodeFetch(call.bytes(4))
	h.mu.Lock()
	h.seen = append(h.seen, f)
	h.mu.Unlock()
	reply, code, detail := h.fetch(r, f)
	var out []byte
	if code != 0 {
		problem := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
		problem = protowire.AppendString(protowire.AppendTag(problem, 2, protowire.BytesType), detail)
		out = protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), problem)
	} else {
		out = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), reply)
	}
	_, _ = w.Write(out)
}

// fetch does what the service does, and returns a URLFetchResponse or the code of an error.
func (h *apiHost) fetch(call *http.Request, f fetchRequest) (reply []byte, code int, detail string) {
	req, err := http.NewRequestWithContext(call.Context(), methods[f.method], f.url, bytes.NewReader(f.payload))
	if err != nil {
		return nil, 1, err.Error()
	}
	for _, field := range f.headers {
		req.Header.Add(field[0], field[1])
	}
	client := *h.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if !f.validate {
		transport := client.Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.InsecureSkipVerify = true
		defer transport.CloseIdleConnections()
		client.Transport = transport
	}
	resp, err := client.Do(req)
	switch {
	case err != nil && strings.Contains(err.Error(), "certificate"):
		return nil, 6, err.Error()
	case err != nil:
		return nil, 2, err.Error()
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 2, err.Error()
	}
	return encodeFetched(resp, content), 0, ""
}

func encodeFetched(resp *http.Response, content []byte) []byte {
	out := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), content)
	out = protowire.AppendVarint(protowire.AppendTag(out, 2, protowire.VarintType), uint64(resp.StatusCode))
	for name, values := range resp.Header {
		for _, value := range values {
			out = protowire.AppendTag(out, 3, protowire.StartGroupType)
			out = protowire.AppendString(protowire.AppendTag(out, 4, protowire.BytesType), name)
			out = protowire.AppendString(protowire.AppendTag(out, 5, protowire.BytesType), value)
			out = protowire.AppendTag(out, 3, protowire.EndGroupType)
		}
	}
	return out
}

func decodeFetch(message []byte) fetchRequest {
	m := fields(message)
	f := fetchRequest{method: m.number(1), url: m.text(2), payload: m.bytes(6), validate: m.number(9) != 0}
	_, f.deadline = m[8]
	for _, group := range m[3] {
		g := fields(group.([]byte))
		f.headers = append(f.headers, [2]string{g.text(4), g.text(5)})
	}
	return f
}

// message is a decoded protocol buffer: numbers, byte strings and groups by field.
type message map[protowire.Number][]any

func fields(b []byte) message {
	m := message{}
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			panic(fmt.Sprint("bad tag: ", protowire.ParseError(n)))
		}
		b = b[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = consume(protowire.ConsumeVarint(b))
		case protowire.Fixed64Type:
			v, n = consume(protowire.ConsumeFixed64(b))
		case protowire.BytesType:
			v, n = consume(protowire.ConsumeBytes(b))
		case protowire.StartGroupType:
			v, n = consume(protowire.ConsumeGroup(num, b))
		}
		if n < 0 || v == nil {
			panic(fmt.Sprint("bad field ", num))
		}
		m[num], b = append(m[num], v), b[n:]
	}
	return m
}

func consume[T any](v T, n int) (any, int) { return v, n }

func (m message) bytes(num protowire.Number) []byte {
	if len(m[num]) == 0 {
		return nil
	}
	return m[num][0].([]byte)
}

func (m message) text(num protowire.Number) string { return string(m.bytes(num)) }

func (m message) number(num protowire.Number) uint64 {
	if len(m[num]) == 0 {
		return 0
	}
	return m[num][0].(uint64)
}
