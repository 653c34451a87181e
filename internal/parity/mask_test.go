package parity

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A site knows the values behind the placeholders of one scenario, both ways.
type site struct {
	servers   map[string]*server
	dir, home string
	pki       *pki
}

// placeholders lists each placeholder with its value; longer values come before their prefixes.
func (s *site) placeholders() [][2]string {
	var pairs [][2]string
	for name, srv := range s.servers {
		pairs = append(pairs,
			[2]string{"${origin." + name + "}", srv.addr},
			[2]string{"${localhost." + name + "}", "localhost:" + srv.port()},
			[2]string{"${port." + name + "}", srv.port()})
	}
	return append(pairs,
		[2]string{"${client_both}", s.pki.certAndKey},
		[2]string{"${client_cert}", s.pki.cert},
		[2]string{"${client_key}", s.pki.key},
		[2]string{"${other_ca}", s.pki.otherCA},
		[2]string{"${ca}", s.pki.caFile},
		[2]string{"${ca_dir}", s.pki.caDir},
		[2]string{"${home}", s.home},
		[2]string{"${dir}", s.dir})
}

// fill puts the values into the raw JSON of a scenario's input.
func (s *site) fill(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return nil
	}
	var pairs []string
	for _, p := range s.placeholders() {
		pairs = append(pairs, p[0], p[1])
	}
	return json.RawMessage(strings.NewReplacer(pairs...).Replace(string(raw)))
}

// fillText is fill for one string.
func (s *site) fillText(text string) string {
	return string(s.fill(json.RawMessage(text)))
}

// masker returns the function which puts the placeholders back into an output string.
func (s *site) masker() func(string) string {
	var pairs []string
	for _, p := range s.placeholders() {
		if strings.HasPrefix(p[0], "${port.") {
			pairs = append(pairs, ":"+p[1], ":"+p[0])
			continue
		}
		pairs = append(pairs, p[1], p[0])
	}
	pairs = append(pairs,
		product.userAgent, "${ua}",
		product.transportAgent, "${ua.transport}",
		"Accept-Encoding: "+product.acceptEncoding+"\r\n", "Accept-Encoding: ${ae}\r\n")
	return strings.NewReplacer(pairs...).Replace
}

// maskAcceptEncoding masks the value of Accept-Encoding in a list of pairs.
func maskAcceptEncoding(pairs [][2]string) [][2]string {
	for i, p := range pairs {
		if strings.EqualFold(p[0], "Accept-Encoding") && p[1] == product.acceptEncoding {
			pairs[i][1] = "${ae}"
		}
	}
	return pairs
}

var boundaryPattern = regexp.MustCompile(`boundary=([0-9a-f]{16,70})`)

// maskBoundaries replaces every multipart boundary that a Content-Type in the tree announces.
func maskBoundaries(tree any) any {
	found := map[string]bool{}
	mapStrings(tree, func(s string) string {
		for _, m := range boundaryPattern.FindAllStringSubmatch(s, -1) {
			found[m[1]] = true
		}
		return s
	})
	var pairs []string
	for boundary := range found {
		pairs = append(pairs, boundary, "${boundary}")
	}
	if pairs == nil {
		return tree
	}
	return mapStrings(tree, strings.NewReplacer(pairs...).Replace)
}

// maskExpiry writes an expiry time as {"in": N} where the recording does and the two agree within a few seconds.
func maskExpiry(want, got any, now time.Time) any {
	switch want := want.(type) {
	case map[string]any:
		if in, ok := want["in"].(json.Number); ok && len(want) == 1 {
			return relativeTime(want, in, got, now)
		}
		object, ok := got.(map[string]any)
		if !ok {
			return got
		}
		for k, v := range want {
			if g, ok := object[k]; ok {
				object[k] = maskExpiry(v, g, now)
			}
		}
	case []any:
		items, ok := got.([]any)
		for i := 0; ok && i < min(len(want), len(items)); i++ {
			items[i] = maskExpiry(want[i], items[i], now)
		}
	}
	return got
}

func relativeTime(want any, in json.Number, got any, now time.Time) any {
	n, ok := got.(json.Number)
	if !ok {
		return got
	}
	wantSeconds, _ := in.Float64()
	gotSeconds, _ := n.Float64()
	if off := gotSeconds - float64(now.Unix()) - wantSeconds; off > -10 && off < 10 {
		return want
	}
	return got
}

// loosen applies what a scenario allows to differ, the same to both sides.
func loosen(t *testing.T, loose []string, tree any) any {
	for _, rule := range loose {
		switch rule {
		case "conn":
			tree = eachObject(tree, func(o map[string]any) { setIfPresent(o, "conn", json.Number("0")) })
		case "error":
			tree = eachObject(tree, anyError)
		case "connect":
			tree = eachObject(tree, func(o map[string]any) { editString(o, "raw", plainConnect) })
		case "json":
			tree = eachObject(tree, func(o map[string]any) { looseBody(o, compactJSON) })
		case "multipart":
			tree = eachObject(tree, func(o map[string]any) { looseBody(o, nil) })
		default:
			t.Fatalf("unknown loose rule %q", rule)
		}
	}
	return tree
}

// eachObject calls f with a copy of every object of the tree.
func eachObject(tree any, f func(map[string]any)) any {
	switch tree := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(tree))
		for k, v := range tree {
			out[k] = eachObject(v, f)
		}
		f(out)
		return out
	case []any:
		out := make([]any, len(tree))
		for i, v := range tree {
			out[i] = eachObject(v, f)
		}
		return out
	}
	return tree
}

func setIfPresent(o map[string]any, key string, value any) {
	if _, ok := o[key]; ok {
		o[key] = value
	}
}

func editString(o map[string]any, key string, f func(string) string) {
	if s, ok := o[key].(string); ok {
		o[key] = f(s)
	}
}

// anyError keeps only that there was an error.
func anyError(o map[string]any) {
	if _, ok := o["error"]; !ok {
		return
	}
	o["error"] = "some error"
	for _, k := range []string{"bases", "module", "message", "response"} {
		delete(o, k)
	}
}

var connectHead = regexp.MustCompile(`^(CONNECT \S+) HTTP/1\.[01]\r\n(Host: [^\r]*\r\n)?`)

// plainConnect takes the version and the Host field out of a CONNECT.
func plainConnect(raw string) string {
	return connectHead.ReplaceAllString(raw, "$1 HTTP/1.x\r\n")
}

var contentLength = regexp.MustCompile(`(?i)(content-length: )\d+`)

// looseBody lets the length of a request's body differ, and its text as far as edit makes both sides equal.
func looseBody(o map[string]any, edit func(string) string) {
	if edit != nil {
		editString(o, "body", edit)
	}
	editString(o, "raw", func(raw string) string {
		head, body, _ := strings.Cut(raw, "\r\n\r\n")
		if edit != nil {
			body = edit(body)
		}
		return contentLength.ReplaceAllString(head, "${1}N") + "\r\n\r\n" + body
	})
	pairs, _ := o["headers"].([]any)
	for i, p := range pairs {
		pair, ok := p.([]any)
		if ok && len(pair) == 2 && strings.EqualFold(pair[0].(string), "Content-Length") {
			pairs[i] = []any{pair[0], "N"}
		}
	}
}

// compactJSON takes blanks out of JSON text; anything else stays.
func compactJSON(s string) string {
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(s)); err != nil {
		return s
	}
	return strconv.QuoteToASCII(out.String())
}
