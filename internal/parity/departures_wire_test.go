package parity

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/mountable/requests"
)

// Departures in what comes from servers: heads, framing and codings.

var wireDepartures = map[string]departure{
	"transfer-encoding-only-chunked": {responseKinds, hasOtherCoding, refusedAs(requests.ErrConnection)},
	"content-length-digits":          {responseKinds, hasBadLength, refusedAs(requests.ErrInvalidHeader)},
	"field-lines":                    {responseKinds, hasBadLine, refusedAs(requests.ErrConnection)},
	"cut-head":                       {responseKinds, headIsCut, refusedAs(requests.ErrConnection)},
	"status-line":                    {responseKinds, hasBadStatusLine, refusedAs(requests.ErrConnection)},
	"upgrade-unasked":                {responseKinds, statusIs("101"), refusedAs(requests.ErrConnection)},
	"interim-replies":                {responseKinds, isInterim, asWith(editRaw(withoutInterim))},
	"field-value-blanks":             {responseKinds, hasBlanksOrFolds, asWith(editRaw(withoutBlanks))},
	"head-limits":                    {responseKinds, isLongHead, readsWholeHead},
	"more-codings":                   {responseKinds, hasModernCoding, decodesModern},
	"unknown-codings-are-named":      {responseKinds, hasUnknownCoding, failsReadingAs("ContentDecodingError")},
	"chunk-framing":                  {responseKinds, hasBadChunks, failsReadingAs("ChunkedEncodingError")},
	"what-came-is-kept":              {responseKinds, readFailed, keepsWhatCame},
}

var responseKinds = []string{"urllib3_response_read"}

// rawHead is the final head of a raw response, its folded lines joined; whole reports whether it ends with an empty line.
func rawHead(in input) (lines []string, whole bool) {
	head, _, whole := cutHead(withoutInterim(string(in.bytes("raw"))))
	return strings.Split(fold.ReplaceAllString(strings.ReplaceAll(head, "\r\n", "\n"), " "), "\n"), whole
}

// fold is a line end with a continuation behind it (RFC 9112 section 5.2); the first line of a head has none.
var fold = regexp.MustCompile(`[ \t]*\r?\n[ \t]+`)

// cutHead cuts a raw response behind its first head.
func cutHead(raw string) (head, rest string, whole bool) {
	if i := headEnd.FindStringIndex(raw); i != nil {
		return raw[:i[0]], raw[i[1]:], true
	}
	return raw, "", false
}

var headEnd = regexp.MustCompile(`\r?\n\r?\n`)

var interimLine = regexp.MustCompile(`^HTTP/1\.[01] 1(0[02-9]|[1-9][0-9])[ \r\n]`)

// withoutInterim cuts the 1xx responses but 101 from the beginning of a raw response.
func withoutInterim(raw string) string {
	for interimLine.MatchString(raw) {
		_, rest, whole := cutHead(raw)
		if !whole {
			return raw
		}
		raw = rest
	}
	return raw
}

// editRaw edits the bytes of the response.
func editRaw(f func(raw string) string) func(in input) input {
	return func(in input) input {
		edited := f(string(in.bytes("raw")))
		return in.with("raw", map[string]any{"b64": base64.StdEncoding.EncodeToString([]byte(edited))})
	}
}

// rawField returns the values of a field of a raw response.
func rawField(in input, name string) (values []string) {
	lines, _ := rawHead(in)
	for _, line := range lines[1:] {
		field, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(field, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

func hasOtherCoding(in input, _ map[string]any) bool {
	values := rawField(in, "Transfer-Encoding")
	lines, _ := rawHead(in)
	return len(values) > 0 && !(len(values) == 1 && strings.EqualFold(values[0], "chunked") && strings.HasPrefix(lines[0], "HTTP/1.1"))
}

func hasBadLength(in input, _ map[string]any) bool {
	return slices.ContainsFunc(rawField(in, "Content-Length"), func(v string) bool {
		return v == "" || strings.Trim(v, "0123456789") != ""
	})
}

// hasBadLine finds a line that is not a field: a token, a colon, a value without control characters; a fold before the
// first field is none either.
func hasBadLine(in input, _ map[string]any) bool {
	head, _, _ := cutHead(withoutInterim(string(in.bytes("raw"))))
	if _, first, ok := strings.Cut(head, "\n"); ok && first != "" && (first[0] == ' ' || first[0] == '\t') {
		return true
	}
	lines, _ := rawHead(in)
	return slices.ContainsFunc(lines[1:], func(line string) bool { return line != "" && !fieldLine.MatchString(line) })
}

var (
	fieldLine  = regexp.MustCompile(`^[-!#$%&'*+.^_|~0-9A-Za-z\x60]+:[^\x00-\x08\x0a-\x1f\x7f]*$`)
	chunkLine  = regexp.MustCompile(`^([0-9a-fA-F]{1,4})[ \t]*(?:;[^\r\n]*)?\r\n`)
	statusLine = regexp.MustCompile(`^HTTP/1\.[01] [0-9]{3}( [^\x00-\x08\x0a-\x1f\x7f]*)?$`)
)

func hasBadStatusLine(in input, _ map[string]any) bool {
	lines, _ := rawHead(in)
	return !statusLine.MatchString(lines[0])
}

func headIsCut(in input, _ map[string]any) bool {
	_, whole := rawHead(in)
	return !whole
}

func statusIs(status string) func(input, map[string]any) bool {
	return func(in input, _ map[string]any) bool {
		lines, _ := rawHead(in)
		words := strings.Fields(lines[0])
		return len(words) > 1 && words[1] == status
	}
}

func isInterim(in input, _ map[string]any) bool {
	return interimLine.Match(in.bytes("raw")) && !bytes.HasPrefix(in.bytes("raw"), []byte("HTTP/1.1 100"))
}

// hasBlanksOrFolds finds blanks behind a field's value (RFC 9112 section 5.1) and folded lines (section 5.2).
func hasBlanksOrFolds(in input, _ map[string]any) bool {
	head, _, _ := cutHead(string(in.bytes("raw")))
	return headWithoutBlanks(head) != head
}

var trailingBlanks = regexp.MustCompile(`(?m)[ \t]+(\r?)$`)

func withoutBlanks(raw string) string {
	head, rest, whole := cutHead(raw)
	if !whole {
		return raw
	}
	return headWithoutBlanks(head) + "\r\n\r\n" + rest
}

// headWithoutBlanks makes one blank of each fold and cuts those behind values.
func headWithoutBlanks(head string) string {
	first, fields, ok := strings.Cut(head, "\n")
	if !ok {
		return head
	}
	return first + "\n" + trailingBlanks.ReplaceAllString(fold.ReplaceAllString(fields, " "), "$1")
}

// hasBadChunks reads a chunked body as RFC 9112 section 7.1 has it.
func hasBadChunks(in input, _ map[string]any) bool {
	if len(rawField(in, "Transfer-Encoding")) == 0 {
		return false
	}
	_, ok := chunkedData(in)
	return !ok
}

// chunkedData is the data of the chunks that are right; ok reports whether all of them are.
func chunkedData(in input) (data []byte, ok bool) {
	_, rest, _ := cutHead(withoutInterim(string(in.bytes("raw"))))
	body := []byte(rest)
	for {
		m := chunkLine.FindSubmatch(body)
		if m == nil {
			return data, false
		}
		size, _ := strconv.ParseUint(string(m[1]), 16, 16)
		body = body[len(m[0]):]
		if size == 0 {
			return data, trailersEnd(string(body))
		}
		data = append(data, body[:min(int(size), len(body))]...)
		if len(body) < int(size) || !bytes.HasPrefix(body[size:], []byte("\r\n")) {
			return data, false
		}
		body = body[size+2:]
	}
}

// trailersEnd reports whether the trailers, if there are any, end with an empty line.
func trailersEnd(rest string) bool {
	return strings.HasPrefix(rest, "\r\n") || headEnd.MatchString(rest)
}

var knownCodings = []string{"", "gzip", "x-gzip", "deflate", "br", "zstd"}

// hasUnknownCoding finds a list of codings with one in it that nobody knows, which urllib3 takes for deflate.
func hasUnknownCoding(in input, _ map[string]any) bool {
	codings := contentCodings(in)
	return len(codings) > 1 && slices.ContainsFunc(codings, func(coding string) bool { return !slices.Contains(knownCodings, coding) })
}

func contentCodings(in input) (codings []string) {
	for coding := range strings.SplitSeq(strings.ToLower(strings.Join(rawField(in, "Content-Encoding"), ",")), ",") {
		codings = append(codings, strings.TrimSpace(coding))
	}
	return codings
}

func hasModernCoding(in input, _ map[string]any) bool {
	return slices.ContainsFunc(contentCodings(in), func(c string) bool { return c == "br" || c == "zstd" })
}

// decodesModern wants a body of br or zstd decoded, and an error where it is neither whole nor right.
func decodesModern(o observed) bool {
	codings := contentCodings(o.in)
	if len(codings) > 1 {
		return readFailedAs(o, "ContentDecodingError") && len(gotBody(o.member())) == 0 // no recording has a chain that can be read
	}
	_, rest, _ := cutHead(withoutInterim(string(o.in.bytes("raw"))))
	var src io.Reader = brotli.NewReader(strings.NewReader(rest))
	if codings[0] == "zstd" {
		d, err := zstd.NewReader(strings.NewReader(rest))
		if err != nil {
			return false
		}
		defer d.Close()
		src = d
	}
	plain, err := io.ReadAll(src)
	if err != nil {
		return readFailedAs(o, "ContentDecodingError") && bytes.HasPrefix(plain, gotBody(o.member()))
	}
	out := o.member()
	return o.err == nil && out["read_error"] == nil && bytes.Equal(gotBody(out), plain) && o.sameBut("body", "chunks", "read_error", "read_error_cause") && hasItsPieces(out)
}

func gotBody(out map[string]any) []byte {
	body, _ := out["body"].(map[string]any)
	b, _ := b64Value(body)
	return b
}

// isLongHead reports whether it is what Python refuses for its size and this library takes.
func isLongHead(in input, _ map[string]any) bool {
	lines, _ := rawHead(in)
	return len(lines) > 100 || slices.ContainsFunc(lines, func(line string) bool { return len(line) > 65535 })
}

// readsWholeHead wants every field of a long head, and beyond 256 KiB or 1,000 fields a refusal.
func readsWholeHead(o observed) bool {
	lines, _ := rawHead(o.in)
	if len(lines) > 1001 || len(strings.Join(lines, "\r\n")) > 256<<10 {
		return refusedAs(requests.ErrLimit, requests.ErrConnection)(o)
	}
	want := [][2]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		want = append(want, [2]string{name, strings.Trim(value, " \t")})
	}
	out := o.member()
	words := strings.Fields(lines[0])
	line := fmt.Sprintf("%v %v %v", out["version"], out["status"], out["reason"])
	return o.err == nil && hasItsPieces(out) && line == "11 "+strings.Join(words[1:], " ") && bytes.Equal(gotBody(out), sentData(o.in)) &&
		mismatch(normalTree(want), normalTree(out["headers"])) == ""
}

// member is a result that is an object, nil for others.
func (o observed) member() map[string]any {
	out, _ := o.got.(map[string]any)
	return out
}

// sentData is the content of a response as it was sent, content coding left alone: what is there of it.
func sentData(in input) []byte {
	if len(rawField(in, "Transfer-Encoding")) > 0 {
		data, _ := chunkedData(in)
		return data
	}
	_, rest, _ := cutHead(withoutInterim(string(in.bytes("raw"))))
	if lengths := rawField(in, "Content-Length"); len(lengths) > 0 {
		n, _ := strconv.Atoi(lengths[0])
		rest = rest[:min(n, len(rest))]
	}
	return []byte(rest)
}

func readFailed(_ input, want map[string]any) bool {
	out, _ := want["out"].(map[string]any)
	return out["read_error"] != nil
}

// readFailedAs wants the reading of the body to end with an error of the class, and the rest of the response as recorded.
func readFailedAs(o observed, class string) bool {
	out := o.member()
	return o.err == nil && out["read_error"] == class && o.sameBut("body", "chunks", "read_error", "read_error_cause") && hasItsPieces(out)
}

// sameBut wants the recorded result but for fields that a rule speaks of.
func (o observed) sameBut(fields ...string) bool {
	recorded, _ := normalTree(o.want["out"]).(map[string]any)
	got, _ := normalTree(o.got).(map[string]any)
	for name, want := range recorded {
		if !slices.Contains(fields, name) && mismatch(want, got[name]) != "" {
			return false
		}
	}
	return true
}

// hasItsPieces wants a body, and where it was read in pieces, those of which it consists.
func hasItsPieces(out map[string]any) bool {
	if _, ok := out["body"].(map[string]any); !ok {
		return false
	}
	pieces, ok := out["chunks"]
	if !ok {
		return true
	}
	sizes, ok := normalTree(pieces).([]any)
	sum := 0
	for _, size := range sizes {
		sum += intOf(size)
	}
	return ok && sum == len(gotBody(out))
}

// failsReadingAs wants an error of the class, and nothing but what the peer sent before it.
func failsReadingAs(class string) func(o observed) bool {
	return func(o observed) bool {
		out, _ := o.got.(map[string]any)
		data, _ := chunkedData(o.in)
		return readFailedAs(o, class) && (len(gotBody(out)) == 0 || bytes.HasPrefix(data, gotBody(out)))
	}
}

// keepsWhatCame wants the recorded failure; what came before it may be more than urllib3 gave, and is what was sent.
func keepsWhatCame(o observed) bool {
	out, _ := o.got.(map[string]any)
	recorded, _ := o.want["out"].(map[string]any)
	class, _ := recordedForms["urllib3_response_read"](recorded).(map[string]any)["read_error"].(string)
	coded := len(rawField(o.in, "Content-Encoding")) > 0
	return readFailedAs(o, class) && bytes.HasPrefix(gotBody(out), gotBody(recorded)) && len(gotBody(out)) > len(gotBody(recorded)) &&
		(coded || bytes.HasPrefix(sentData(o.in), gotBody(out)))
}
