package parity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mountable/requests/internal/multipart"
)

// curlRequest is a request that must arrive.
type curlRequest struct {
	Method  string      `json:"method"`
	Target  string      `json:"target"`
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body_b64"`
	Parts   []struct {
		Headers []string `json:"headers"`
		Body    []byte   `json:"body_b64"`
	} `json:"multipart_parts"`
	Digest any `json:"digest"`
}

// withholds tells an exchange in which curl leaves the body out, as it expects a challenge that does not come. Requests
// sends the body at once, so the exchange does not take place.
func (c *curlCase) withholds(i int) bool {
	x := c.Exchanges[i]
	return c.Action.Auth != nil && c.Action.Data != nil && slices.Equal(x.Expect.values("Content-Length"), []string{"0"}) &&
		i+1 < len(c.Exchanges) && !bytes.Contains(x.Reply.Raw, []byte("WWW-Authenticate"))
}

// compare wants the same requests in the same order.
func (c *curlCase) compare(sent []string) string {
	var wrong []string
	for i := range max(len(sent), len(c.Exchanges)) {
		switch {
		case i >= len(sent):
			wrong = append(wrong, fmt.Sprintf("request %d was not sent: %s %s", i+1, c.Exchanges[i].Expect.Method, c.Exchanges[i].Expect.Target))
		case i >= len(c.Exchanges):
			wrong = append(wrong, fmt.Sprintf("request %d is one too many: %.60q", i+1, sent[i]))
		default:
			if w := c.compareOne(i, parseSent(sent[i])); w != "" {
				wrong = append(wrong, fmt.Sprintf("request %d: %s", i+1, w))
			}
		}
	}
	return strings.Join(wrong, "\n")
}

// parseSent takes a raw request apart; a chunked body is joined.
func parseSent(raw string) curlRequest {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	var r curlRequest
	r.Method, r.Target, _ = strings.Cut(lines[0], " ")
	r.Target = strings.TrimSuffix(r.Target, " HTTP/1.1")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		r.Headers = append(r.Headers, [2]string{name, strings.TrimPrefix(value, " ")})
	}
	r.Body = []byte(body)
	if strings.EqualFold(strings.Join(r.values("Transfer-Encoding"), ","), "chunked") {
		r.Body = joinChunks(body)
	}
	return r
}

func joinChunks(body string) []byte {
	var out []byte
	for {
		var size int
		line, rest, _ := strings.Cut(body, "\r\n")
		if n, _ := fmt.Sscanf(line, "%x", &size); n != 1 || size == 0 || size > len(rest) {
			return out
		}
		out = append(out, rest[:size]...)
		body = strings.TrimPrefix(rest[size:], "\r\n")
	}
}

func (r *curlRequest) values(name string) []string {
	var out []string
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			out = append(out, h[1])
		}
	}
	return out
}

func (c *curlCase) compareOne(i int, got curlRequest) string {
	want := c.Exchanges[i].Expect
	if got.Method != want.Method || got.Target != want.Target {
		return fmt.Sprintf("sent %s %s, want %s %s", got.Method, got.Target, want.Method, want.Target)
	}
	// curl withholds the body from a request that it expects to be challenged; Requests sends it.
	withheld := c.Action.Auth != nil && slices.Equal(want.values("Content-Length"), []string{"0"})
	if diff := cmp.Diff(c.fields(want, withheld), c.fields(got, withheld), cmpopts.EquateEmpty()); diff != "" {
		return "headers (-want +got)\n" + diff
	}
	if w := c.compareDigest(want, got); w != "" {
		return w
	}
	switch {
	case withheld || len(want.Body) == 0 && slices.Contains(want.values("Expect"), "100-continue"):
		return ""
	case want.Parts != nil || bytes.HasPrefix(want.Body, []byte("--")):
		return compareParts(want, got)
	case !bytes.Equal(want.Body, got.Body):
		return fmt.Sprintf("body %q, want %q", got.Body, want.Body)
	}
	return ""
}

// fields groups the headers that count: not what each client chooses for itself unless the caller set it, not what
// the form of the body decides, and of Authorization only the scheme where it is a digest.
func (c *curlCase) fields(r curlRequest, withheld bool) map[string][]string {
	out := map[string][]string{}
	for _, h := range r.Headers {
		name, value := strings.ToLower(h[0]), strings.TrimSpace(h[1])
		switch name {
		case "user-agent", "accept", "accept-encoding", "proxy-connection", "connection", "expect":
			if !c.Action.sets(name) || name == "expect" {
				continue
			}
		case "content-length":
			if withheld || value == "0" || r.Parts != nil || strings.HasPrefix(string(r.Body), "--") {
				continue
			}
		case "content-type":
			value, _, _ = strings.Cut(value, "; boundary=")
			if withheld {
				continue
			}
		case "authorization", "proxy-authorization":
			if strings.HasPrefix(value, "Digest ") {
				value = "Digest"
			}
		case "cookie":
			cookies := strings.Split(strings.ReplaceAll(value, "; ", ";"), ";")
			slices.Sort(cookies)
			value = strings.Join(cookies, "; ")
		}
		out[name] = append(out[name], value)
	}
	return out
}

// sets tells whether the caller gave a header.
func (a *curlAction) sets(name string) bool {
	return slices.ContainsFunc(a.Headers, func(h string) bool {
		given, _, _ := strings.Cut(h, ":")
		return strings.EqualFold(given, name)
	})
}

// compareDigest computes the response again from what was sent.
func (c *curlCase) compareDigest(want, got curlRequest) string {
	for _, field := range []string{"Authorization", "Proxy-Authorization"} {
		sent, due := strings.Join(got.values(field), ""), strings.Join(want.values(field), "")
		if !strings.HasPrefix(sent, "Digest ") || !strings.HasPrefix(due, "Digest ") {
			continue
		}
		p, w := digestParams(sent), digestParams(due)
		for _, key := range []string{"username", "realm", "nonce", "uri", "opaque"} {
			if p[key] != w[key] {
				return fmt.Sprintf("%s: %s is %q, want %q", field, key, p[key], w[key])
			}
		}
		user, password, _ := strings.Cut(c.credentials(field), ":")
		if (credentials{user: password}).response(got.Method, p) != p["response"] {
			return field + ": the response does not fit the password: " + sent
		}
	}
	return ""
}

func (c *curlCase) credentials(field string) string {
	if field == "Proxy-Authorization" {
		return c.Action.Proxy.Credentials
	}
	return c.Action.Auth.Credentials
}

// shownPart is a part of a multipart body.
type shownPart struct {
	Headers []string
	Body    string
}

func compareParts(want, got curlRequest) string {
	var wantParts []shownPart
	for _, p := range want.Parts {
		wantParts = append(wantParts, shownPart{p.Headers, string(p.Body)})
	}
	if want.Parts == nil {
		wantParts = splitShown(want.Body)
	}
	if diff := cmp.Diff(wantParts, splitShown(got.Body), cmpopts.EquateEmpty()); diff != "" {
		return "parts (-want +got)\n" + diff
	}
	return ""
}

// splitShown splits a body at the boundary it begins with.
func splitShown(body []byte) (out []shownPart) {
	line, _, _ := strings.Cut(string(body), "\r\n")
	parts, err := multipart.SplitParts(body, strings.TrimPrefix(line, "--"))
	if err != nil {
		return []shownPart{{[]string{err.Error()}, string(body)}}
	}
	for _, p := range parts {
		var headers []string
		for _, h := range p.Header() {
			headers = append(headers, h[0]+": "+h[1])
		}
		out = append(out, shownPart{headers, string(p.Content)})
	}
	return out
}
