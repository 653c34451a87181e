package parity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
)

// responseCase is a raw response and what a client must make of it.
type responseCase struct {
	Method string `json:"request_method"`
	Raw    []byte `json:"raw_b64"`
	Parts  []struct {
		B64    []byte `json:"b64"`
		Repeat int    `json:"repeat"`
	} `json:"raw_parts"`
	Accept  *acceptedResponse `json:"accept"`
	Reject  bool              `json:"reject"`
	Allowed []struct {
		Accept *acceptedResponse `json:"accept"`
		Reject bool              `json:"reject"`
	} `json:"allowed"`
	Conflict any `json:"source_conflict"`
}

type acceptedResponse struct {
	Status     int         `json:"status"`
	Reason     *string     `json:"reason"`
	Headers    [][2]string `json:"headers"`
	Body       *[]byte     `json:"body_b64"`
	BodyLength *int64      `json:"body_len"`
	BodySum    string      `json:"body_sha256"`
	Trailers   [][2]string `json:"trailers"`
	KeepAlive  *bool       `json:"keep_alive"`
	Delimited  string      `json:"delimited_by"`
}

// TestResponses feeds raw response streams to a session: the server writes everything after the request's head, then
// closes its write side. The body is compared before content decoding.
func TestResponses(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "responses.json", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "responses", caseID(t, raw), raw, func(t *testing.T, c responseCase) string {
			if c.Conflict != nil {
				t.Skip("the corpus says to leave this case out: its source disagrees for a stated reason")
			}
			t.Parallel()
			return c.run(t)
		})
	}
}

func (c *responseCase) bytes() []byte {
	raw := bytes.Clone(c.Raw)
	for _, p := range c.Parts {
		raw = append(raw, bytes.Repeat(p.B64, p.Repeat)...)
	}
	return raw
}

// rawReply is what came out of a session.
type rawReply struct {
	response *requests.Response
	body     []byte
	err      error
}

func (c *responseCase) run(t *testing.T) string {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	start := time.Now()
	got := fetchRaw(ctx, s, c.Method, serveOnce(t, c.bytes()))
	if time.Since(start) > callLimit-time.Second {
		return "no outcome in bounded time"
	}
	var wrong []string
	for _, o := range c.outcomes() {
		if w := o.check(got); w != "" {
			wrong = append(wrong, w)
			continue
		}
		return c.reuse(t, o)
	}
	return strings.Join(wrong, "\nor ")
}

func fetchRaw(ctx context.Context, s *requests.Session, method, url string) rawReply {
	r, err := s.Request(ctx, method, url, requests.Stream(true), requests.AllowRedirects(false))
	if err != nil {
		return rawReply{err: err}
	}
	defer r.Close()
	body, err := io.ReadAll(r.Raw)
	if r.IsRedirect() && len(body) == 0 && !r.Headers.Has("Content-Encoding") {
		body, err = r.Content() // read already, to make Next
	}
	return rawReply{response: r, body: body, err: err}
}

// outcomes lists what the case allows; nil stands for a rejection.
func (c *responseCase) outcomes() []*acceptedResponse {
	switch {
	case c.Reject:
		return []*acceptedResponse{nil}
	case c.Accept != nil:
		return []*acceptedResponse{c.Accept}
	}
	var out []*acceptedResponse
	for _, a := range c.Allowed {
		out = append(out, a.Accept)
	}
	return out
}

// check says in what way a result is not the outcome.
func (want *acceptedResponse) check(got rawReply) string {
	switch {
	case want == nil && got.err == nil:
		return fmt.Sprintf("accepted with status %d and %d bytes of body, must be refused", got.response.StatusCode, len(got.body))
	case want == nil:
		return ""
	case got.err != nil:
		return fmt.Sprintf("refused: %v", got.err)
	}
	return strings.Join(slices.DeleteFunc([]string{
		want.checkHead(got.response), want.checkBody(got.body), want.checkTrailers(got.response),
	}, func(s string) bool { return s == "" }), "; ")
}

func (want *acceptedResponse) checkHead(r *requests.Response) string {
	if r.StatusCode != want.Status {
		return fmt.Sprintf("status %d, want %d", r.StatusCode, want.Status)
	}
	if want.Reason != nil && visible(latin1(r.Reason)) != visible(*want.Reason) {
		return fmt.Sprintf("reason %q, want %q", latin1(r.Reason), *want.Reason)
	}
	if want.Headers == nil {
		return ""
	}
	return cmp.Diff(byName(want.Headers), byName(latin1Pairs(r.Headers)), cmpopts.EquateEmpty())
}

// visible leaves out the controls, which a client strips from a reason before it shows it.
func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s))
}

// byName groups values by field name, leaving out the fields about framing and connections.
func byName(fields [][2]string) map[string][]string {
	out := map[string][]string{}
	for _, f := range fields {
		name := strings.ToLower(f[0])
		switch name {
		case "transfer-encoding", "trailer", "connection", "content-length", "keep-alive", "proxy-connection":
			continue
		}
		out[name] = append(out[name], strings.Join(strings.Fields(f[1]), " "))
	}
	return out
}

func (want *acceptedResponse) checkBody(body []byte) string {
	if want.Body != nil && !bytes.Equal(body, *want.Body) {
		return "body " + cmp.Diff(latin1(*want.Body), latin1(body))
	}
	if want.BodyLength == nil {
		return ""
	}
	sum := sha256.Sum256(body)
	if int64(len(body)) != *want.BodyLength || hex.EncodeToString(sum[:]) != want.BodySum {
		return fmt.Sprintf("body of %d bytes, sum %x, want %d bytes, sum %s", len(body), sum, *want.BodyLength, want.BodySum)
	}
	return ""
}

func (want *acceptedResponse) checkTrailers(r *requests.Response) string {
	if want.Trailers == nil {
		return ""
	}
	return cmp.Diff(trailerNames(want.Trailers), trailerNames(latin1Pairs(r.Trailers())), cmpopts.EquateEmpty())
}

// trailerNames groups trailers like byName but leaves no field out.
func trailerNames(fields [][2]string) map[string][]string {
	out := map[string][]string{}
	for _, f := range fields {
		out[strings.ToLower(f[0])] = append(out[strings.ToLower(f[0])], strings.TrimSpace(f[1]))
	}
	return out
}

// reuse sends a second request where the first connection must not, or may, be used again. The server keeps every
// connection open here, so only a body with an end of its own can be tried.
func (c *responseCase) reuse(t *testing.T, o *acceptedResponse) string {
	if o == nil || o.KeepAlive == nil || o.Delimited == "close" || o.Delimited == "upgrade" {
		return ""
	}
	spec := serverSpec{}
	srv, err := listen(spec)
	if err != nil {
		return err.Error()
	}
	defer srv.stop()
	srv.start(t, []reply{{Send: c.bytes()}})
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	for range 2 {
		if got := fetchRaw(ctx, s, c.Method, "http://"+srv.addr+"/"); got.err != nil {
			return fmt.Sprintf("with the connection left open: %v", got.err)
		}
	}
	seen := srv.seen()
	if again := len(seen) == 2 && seen[1].Conn == 1; again != *o.KeepAlive {
		return fmt.Sprintf("the connection was used again: %t, want %t", again, *o.KeepAlive)
	}
	return ""
}
