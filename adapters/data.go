package adapters

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// Data answers data: URLs (RFC 2397) with what they hold: status 200, its Content-Type
// that of the URL, text/plain;charset=US-ASCII where it names none. Mount it on "data:".
// GET and HEAD only, other methods are 405. A malformed URL is [requests.ErrInvalidURL].
func Data() requests.Adapter { return requests.AdapterFunc(sendData) }

func sendData(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	w := newWatch(ctx, opts)
	defer w.end()
	if failure := w.failure(p); failure != nil {
		return nil, failure
	}
	if p.Method != "GET" && p.Method != "HEAD" {
		return requests.NewResponse(p, 405, requests.Headers{{"Allow", "GET, HEAD"}, {"Content-Length", "0"}}, nil), nil
	}
	kind, content, err := parseData(p.URL)
	if err != nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidURL, Request: p, Detail: err.Error()}
	}
	headers := requests.Headers{{"Content-Type", kind}, {"Content-Length", strconv.Itoa(len(content))}}
	if p.Method == "HEAD" {
		content = nil
	}
	return requests.NewResponse(p, 200, headers, &wire.Held{Content: content}), nil
}

// parseData splits a data: URL into media type and content.
func parseData(raw string) (kind string, content []byte, err error) {
	raw, _, _ = strings.Cut(raw, "#")
	scheme, rest, _ := strings.Cut(raw, ":")
	kind, data, ok := strings.Cut(rest, ",")
	if !strings.EqualFold(scheme, "data") || !ok {
		return "", nil, errData("expected data:[<media type>][;base64],<data>")
	}
	content = unescape(data)
	if head := strings.TrimRight(kind, " "); len(head) >= 7 && strings.EqualFold(head[len(head)-7:], ";base64") {
		kind = head[:len(head)-7]
		if content, err = decodeBase64(content); err != nil {
			return "", nil, errData("the data is not base64")
		}
	}
	switch kind = string(unescape(strings.TrimSpace(kind))); {
	case kind == "":
		kind = "text/plain;charset=US-ASCII"
	case kind[0] == ';':
		kind = "text/plain" + kind
	}
	if strings.ContainsFunc(kind, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", nil, errData("the media type holds control characters")
	}
	return kind, content, nil
}

type errData string

func (e errData) Error() string { return string(e) }

// decodeBase64 takes either alphabet, with or without padding and blanks.
func decodeBase64(text []byte) ([]byte, error) {
	clean := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", "-", "+", "_", "/").Replace(string(text))
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "="))
}

// unescape undoes percent-encoding and leaves what is none as it is.
func unescape(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}
