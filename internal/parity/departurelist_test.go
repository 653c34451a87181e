package parity

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// departures are the rules that have a section in differences.txt and a check here. Rules of a single case have their
// expectation in that file instead.
var departures map[string]departure

func init() {
	departures = map[string]departure{
		"transfer-encoding-only-chunked": {[]string{"urllib3_response_read"}, hasOtherCoding, refused},
		"content-length-digits":          {[]string{"urllib3_response_read"}, hasBadLength, refused},
		"field-lines":                    {[]string{"urllib3_response_read"}, hasBadLine, refused},
		"cut-head":                       {[]string{"urllib3_response_read"}, headIsCut, refused},
		"status-line":                    {[]string{"urllib3_response_read"}, hasBadStatusLine, refused},
		"upgrade-unasked":                {[]string{"urllib3_response_read"}, statusIs("", "101"), refused},
		"interim-replies":                {[]string{"urllib3_response_read"}, isInterim, isFinal},
		"more-codings":                   {[]string{"urllib3_response_read"}, hasModernCoding, stillFails},
		"field-value-blanks":             {[]string{"urllib3_response_read"}, hasBlankCoding, accepted},
		"head-limits":                    {[]string{"urllib3_response_read"}, hasLongLine, accepted},
		"chunk-framing":                  {[]string{"urllib3_response_read"}, hasBadChunks, stillFails},
		"unknown-codings-are-named":      {[]string{"urllib3_response_read"}, hasUnknownCoding, stillFails},
		"what-came-is-kept":              {[]string{"urllib3_response_read"}, readFailed, stillFails},

		"whole-label-wildcards":    {[]string{"urllib3_dnsname_match"}, hasWildcard, isFalse},
		"lines-wherever-cut":       {[]string{"iter_lines"}, linesAreCut, sameLinesAsWhole},
		"unknown-charset-is-utf-8": {[]string{"iter_lines", "iter_content"}, recordedError("LookupError"), accepted},
		"text-files-are-bytes":     {[]string{"prepare_body", "super_len"}, hasTextFile, accepted},
		"params-are-bytes":         {[]string{"prepare_url"}, recordedError("UnicodeDecodeError"), accepted},
		"one-reading-of-a-host":    {[]string{"prepare_url", "next_request"}, hasTwoReadings, refusedOrFolded},
		"brackets-are-the-parsers-matter": {
			[]string{"get_auth_from_url", "urldefragauth", "urljoin"}, recordedError("ValueError"), accepted},
		"ports-are-numbers": {[]string{"should_strip_auth"}, always, refused},
		"no-controls":       {[]string{"check_header_validity", "requests_encode_files", "session_prepare"}, hasControls, refused},
		"names-are-tokens":  {[]string{"check_header_validity"}, nameIsNoToken, refused},
		"one-framing":       {[]string{"requests_wire"}, givesTwoFramings, refused},
		"json-by-the-rfc":   {[]string{"response_json"}, isPythonJSON, errorForNoNumber},
		"idna-in-redirects": {[]string{"next_request"}, locationIsIDN, urlIsASCII},
		"redirects-to-http": {[]string{"next_request"}, locationIsForeign, isNothing},
		"proxy-credentials-at-the-adapter": {
			[]string{"rebuild_proxies", "next_request"}, wantsProxyAuthorization, withoutProxyAuthorization},
		"ip-literals-by-value":        {[]string{"should_bypass_proxies"}, isAddress, accepted},
		"proxy-of-a-known-scheme":     {[]string{"adapter_proxy_headers", "adapter_request_url", "urllib3_socks_options"}, proxyHasNoScheme, refused},
		"form-data-keys-are-text":     {[]string{"toolbelt_formdata_urlencode"}, mentions("%"), accepted},
		"no-text-for-a-pair":          {[]string{"toolbelt_formdata_urlencode"}, hasTextForAPair, refused},
		"announced-length-is-kept":    {[]string{"toolbelt_streaming_iterator"}, sizeIsWrong, refused},
		"nothing-read-is-lost":        {[]string{"toolbelt_streaming_iterator"}, readsTheRest, accepted},
		"readers-from-where-they-are": {[]string{"toolbelt_multipart_encoder"}, mentions(`pos`), accepted},
		"user-info-is-no-host":        {[]string{"cookie_exchange", "cookie_header", "session_flow"}, mentions("u:p@"), accepted},
		"cookies-without-controls":    {[]string{"cookie_exchange"}, mentions("\x01"), keepsNoCookie},
		"dates-of-no-month":           {[]string{"cookie_exchange"}, mentions("Foo 2100"), accepted},
		"boundary-of-rfc-2046":        {[]string{"toolbelt_multipart_encoder"}, boundaryIsNoASCII, refused},
	}
}

func always(input, map[string]any) bool { return true }
func mentions(text string) func(input, map[string]any) bool {
	return func(in input, _ map[string]any) bool { return mentioned(in.fields, text) }
}

// mentioned looks for text in the keys and strings of a tree.
func mentioned(tree any, text string) bool {
	switch tree := tree.(type) {
	case map[string]any:
		for k, v := range tree {
			if k == text || mentioned(v, text) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(tree, func(v any) bool { return mentioned(v, text) })
	case string:
		return strings.Contains(tree, text)
	}
	return false
}

func hasOtherCoding(in input, _ map[string]any) bool {
	values := rawField(in, "Transfer-Encoding")
	return len(values) > 0 && !(len(values) == 1 && strings.EqualFold(values[0], "chunked"))
}

func hasBadLength(in input, _ map[string]any) bool {
	return slices.ContainsFunc(rawField(in, "Content-Length"), func(v string) bool {
		return v == "" || strings.Trim(v, "0123456789") != ""
	})
}

// hasBadLine finds a line that is no field: a token, a colon, a value without control characters.
func hasBadLine(in input, _ map[string]any) bool {
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

// statusIs looks at the start of the status line and at its status.
func statusIs(prefix, status string) func(input, map[string]any) bool {
	return func(in input, _ map[string]any) bool {
		lines, _ := rawHead(in)
		words := strings.Fields(lines[0])
		return strings.HasPrefix(lines[0], prefix) && (status == "" || len(words) > 1 && words[1] == status)
	}
}

func isInterim(in input, _ map[string]any) bool {
	return statusIs("", "102")(in, nil) || statusIs("", "103")(in, nil)
}

func isFinal(_ input, _ map[string]any, r result) bool {
	out, ok := r.got.(map[string]any)
	return r.err == nil && ok && out["status"].(int) >= 200
}

// hasBadChunks reads a chunked body as RFC 9112 section 7.1 has it.
func hasBadChunks(in input, _ map[string]any) bool {
	_, body, _ := bytes.Cut(in.bytes("raw"), []byte("\r\n\r\n"))
	for {
		m := chunkLine.FindSubmatch(body)
		if m == nil {
			return len(rawField(in, "Transfer-Encoding")) > 0
		}
		size, _ := strconv.ParseUint(string(m[1]), 16, 16)
		body = body[len(m[0]):]
		if size == 0 {
			return false
		}
		if len(body) < int(size) || !bytes.HasPrefix(body[size:], []byte("\r\n")) {
			return true
		}
		body = body[size+2:]
	}
}

// hasUnknownCoding finds a list of codings with one in it that nobody knows, which urllib3 takes for deflate.
func hasUnknownCoding(in input, _ map[string]any) bool {
	codings := strings.Split(strings.ToLower(strings.Join(rawField(in, "Content-Encoding"), ",")), ",")
	return len(codings) > 1 && slices.ContainsFunc(codings, func(coding string) bool {
		return !slices.Contains([]string{"gzip", "x-gzip", "deflate", "br", "zstd"}, strings.TrimSpace(coding))
	})
}

func hasModernCoding(in input, _ map[string]any) bool {
	values := strings.ToLower(strings.Join(rawField(in, "Content-Encoding"), ","))
	return strings.Contains(values, "br") || strings.Contains(values, "zstd")
}

// hasBlankCoding finds a coding with a blank behind it, which is no part of a field's value (RFC 9110 section 5.5).
func hasBlankCoding(in input, _ map[string]any) bool {
	lines, _ := rawHead(in)
	return slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(strings.ToLower(line), "content-encoding:") && strings.TrimRight(line, " \t") != line
	})
}

func hasLongLine(in input, _ map[string]any) bool {
	lines, _ := rawHead(in)
	return len(lines) > 100 || slices.ContainsFunc(lines, func(line string) bool { return len(line) > 65535 })
}

func readFailed(_ input, want map[string]any) bool {
	out, _ := want["out"].(map[string]any)
	return out["read_error"] != nil
}

// stillFails wants the failure that was recorded; what came before it may be more.
func stillFails(_ input, _ map[string]any, r result) bool {
	out, ok := r.got.(map[string]any)
	return r.err != nil || ok && out["read_error"] != nil
}

func linesAreCut(in input, _ map[string]any) bool {
	delimiter, _, given := in.textOrBytes("delimiter")
	var sofar []byte // a delimiter may come in pieces
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		sofar = append(sofar, chunk...)
		if given && bytes.HasSuffix(sofar, delimiter) || bytes.HasSuffix(chunk, []byte("\r")) {
			return true
		}
	}
	return false
}

// sameLinesAsWhole wants the lines which the body gives in one piece.
func sameLinesAsWhole(in input, _ map[string]any, r result) bool {
	var whole []byte
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		whole = append(whole, chunk...)
	}
	joined := input{map[string]any{}}
	for k, v := range in.fields {
		joined.fields[k] = v
	}
	joined.fields["chunks"] = []any{b64(whole)}
	again, err := iterLinesVector(nil, joined)
	return r.err == nil && err == nil && mismatch(again, r.got) == ""
}

func hasTextFile(in input, _ map[string]any) bool { return mentioned(in.fields, "textfile") }

// hasTwoReadings finds what parsers are known to read in two ways in the authority of a URL.
func hasTwoReadings(in input, _ map[string]any) bool {
	url := in.text("url")
	if in.has("location") {
		url = in.text("location")
	}
	_, rest, _ := strings.Cut(url, "//")
	authority, _, _ := strings.Cut(rest, "/")
	return strings.ContainsAny(authority, "\\%@[]") || strings.ContainsFunc(authority, unicode.IsSpace) ||
		strings.ContainsFunc(authority, unicode.IsControl) || strings.Contains(authority, "xn--") || !strings.Contains(url, "//")
}

// refusedOrFolded wants a refusal, or the recorded URL with its host in lower case.
func refusedOrFolded(_ input, want map[string]any, r result) bool {
	got, _ := r.got.(string)
	recorded, _ := want["out"].(string)
	return r.err != nil || strings.EqualFold(unescaped(got), unescaped(recorded))
}

func hasControls(in input, _ map[string]any) bool {
	for _, key := range []string{"name", "value"} {
		if b, _, ok := in.textOrBytes(key); ok && bytes.ContainsAny(b, "\x00\r\n") {
			return true
		}
	}
	return mentioned(in.fields, "\r") || mentioned(in.fields, "\n") || mentioned(in.fields, "\x00")
}

func nameIsNoToken(in input, _ map[string]any) bool {
	name, _, _ := in.textOrBytes("name")
	return bytes.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) })
}

func givesTwoFramings(in input, _ map[string]any) bool {
	kw := in.object("kwargs")
	return (mentioned(kw.fields["headers"], "Content-Length") || mentioned(kw.fields["headers"], "Transfer-Encoding")) && len(kw.fields) > 1
}

// isPythonJSON finds numbers that RFC 8259 does not have, or that have no float, and bytes whose charset is a guess.
func isPythonJSON(in input, want map[string]any) bool {
	content := string(in.bytes("content"))
	guessed := !in.present("encoding") && !strings.ContainsFunc(content, func(r rune) bool { return r != 0xfffd && r >= 0x80 })
	return strings.Contains(content, "Infinity") || strings.Contains(content, "NaN") || strings.Contains(content, "e400") || guessed
}

// errorForNoNumber wants an error where there is no number, and the value elsewhere.
func errorForNoNumber(in input, _ map[string]any, r result) bool {
	content := string(in.bytes("content"))
	return (r.err != nil) == (strings.Contains(content, "Infinity") || strings.Contains(content, "NaN"))
}

// proxyHasNoScheme finds a proxy given without a scheme that there is, or without a host.
func proxyHasNoScheme(in input, _ map[string]any) bool {
	proxies := []string{in.text("proxy"), in.text("proxy_url")}
	values, _ := in.stringMap("proxies")
	for _, v := range values {
		proxies = append(proxies, v)
	}
	return slices.ContainsFunc(proxies, func(proxy string) bool {
		scheme, rest, ok := strings.Cut(proxy, "://")
		return proxy != "" && (!ok || rest == "" || !slices.Contains([]string{"http", "https", "socks4", "socks4a", "socks5", "socks5h"}, strings.ToLower(scheme)))
	})
}

// hasTextForAPair finds a list of texts of two characters, which Python unpacks like pairs.
func hasTextForAPair(in input, _ map[string]any) bool { return textForAPair(in.fields["query"]) }

func textForAPair(tree any) bool {
	switch tree := tree.(type) {
	case map[string]any:
		for _, v := range tree {
			if textForAPair(v) {
				return true
			}
		}
	case []any:
		for _, v := range tree {
			pair, isPair := v.([]any)
			if isPair && len(pair) == 2 {
				if items, ok := pair[1].([]any); ok && len(items) > 0 && isText(items[0]) && len([]rune(items[0].(string))) == 2 {
					return true
				}
			}
			if textForAPair(v) {
				return true
			}
		}
	}
	return false
}

func locationIsIDN(in input, _ map[string]any) bool {
	_, rest, _ := strings.Cut(in.text("location"), "//")
	host, _, _ := strings.Cut(rest, "/")
	return strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 })
}

// urlIsASCII wants the encoded name of an internationalised host, or a refusal where it has none.
func urlIsASCII(_ input, _ map[string]any, r result) bool {
	out, ok := r.got.(map[string]any)
	url, _ := out["url"].(string)
	return r.err != nil || ok && strings.Contains(url, "xn--")
}

func locationIsForeign(in input, _ map[string]any) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(in.text("location")), ":")
	return ok && scheme != "http" && scheme != "https"
}

func isNothing(_ input, _ map[string]any, r result) bool { return r.err == nil && r.got == nil }

func wantsProxyAuthorization(_ input, want map[string]any) bool {
	return mentioned(want["out"], "Proxy-Authorization")
}

// withoutProxyAuthorization wants everything as recorded but for the field which the adapter writes.
func withoutProxyAuthorization(_ input, want map[string]any, r result) bool {
	shown := eachObject(want["out"], func(o map[string]any) {
		pairs, ok := o["headers"].([]any)
		if !ok {
			return
		}
		o["headers"] = slices.DeleteFunc(slices.Clone(pairs), func(p any) bool { return p.([]any)[0] == "Proxy-Authorization" })
	})
	return r.err == nil && mismatch(shown, normalTree(r.got)) == ""
}

// isAddress finds hosts and entries that are addresses in another form than the usual, or networks of IPv6.
func isAddress(in input, _ map[string]any) bool {
	return strings.Contains(in.text("url"), "[") || strings.Contains(in.text("url"), "//0")
}

func sizeIsWrong(in input, _ map[string]any) bool {
	total := len(in.bytes("file")) + len(in.text("textfile"))
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		total += len(chunk)
	}
	return in.int("size") != total
}

// readsTheRest finds a read of everything after one that left something in Python's buffer, which then is lost.
func readsTheRest(in input, _ map[string]any) bool {
	reads := in.list("reads")
	return len(reads) > 1 && slices.ContainsFunc(reads[1:], func(n any) bool { return intOf(n) == -1 })
}

func keepsNoCookie(_ input, _ map[string]any, r result) bool {
	out, ok := r.got.(map[string]any)
	return r.err == nil && ok && out["cookie"] == nil
}

func boundaryIsNoASCII(in input, _ map[string]any) bool {
	return strings.ContainsFunc(in.text("boundary"), func(r rune) bool { return r > '~' })
}

func hasWildcard(in input, _ map[string]any) bool { return strings.Contains(in.text("pattern"), "*") }

func isFalse(_ input, _ map[string]any, r result) bool { return r.err == nil && r.got == false }
