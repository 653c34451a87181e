package parity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mountable/requests"
)

// Departures in requests, text, JSON, cookies and the toolbelt.

var textDepartures = map[string]departure{
	"lines-wherever-cut":       {[]string{"iter_lines"}, linesAreCut, asWith(inOnePiece)},
	"unknown-charset-is-utf-8": {[]string{"iter_lines", "iter_content"}, recordedError("LookupError"), asWith(inUTF8)},
	"text-files-are-bytes":     {[]string{"prepare_body", "super_len"}, hasTextFile, asWith(textFilesAsBytes)},
	"no-controls":              {[]string{"check_header_validity", "requests_encode_files", "session_prepare"}, hasControls, refusedControls},
	"names-are-tokens":         {[]string{"check_header_validity"}, nameIsNoToken, refusedAs(requests.ErrInvalidHeader)},
	"one-framing":              {[]string{"requests_wire"}, givesFraming, refusedAs(requests.ErrInvalidHeader)},
	"json-by-the-rfc":          {[]string{"response_json"}, hasPythonNumbers, jsonOfRFC},
	"json-with-a-mark":         {[]string{"response_json", "json_error"}, hasByteOrderMark, asWith(withoutMark)},
	"detection":                {[]string{"response_json"}, charsetIsGuessed, sameButForCharset},
	"form-data-keys-are-text":  {[]string{"toolbelt_formdata_urlencode"}, mentions("%"), percentIsText},
	"no-text-for-a-pair":       {[]string{"toolbelt_formdata_urlencode"}, hasTextForAPair, refusedAs(requests.ErrInvalidBody, requests.ErrInvalidArgument)},
	"announced-length-is-kept": {[]string{"toolbelt_streaming_iterator"}, sizeIsWrong, keepsAnnouncedLength},
	"nothing-read-is-lost":     {[]string{"toolbelt_streaming_iterator"}, readsTheRest, givesEverything},
	"readers-from-where-they-are": {
		[]string{"toolbelt_multipart_encoder"}, mentions(`pos`), asWith(filesFromPosition)},
	"user-info-is-no-host": {[]string{"cookie_exchange", "cookie_header", "session_flow"}, hasUserInfo, asWith(withoutUserInfo)},
	"cookies-without-controls": {
		[]string{"cookie_exchange"}, setsControls, keepsNoCookie},
	"dates-of-no-month":    {[]string{"cookie_exchange"}, hasDateOfNoMonth, asWith(withoutBadDates)},
	"boundary-of-rfc-2046": {[]string{"toolbelt_multipart_encoder"}, boundaryIsNone, refusedAs(requests.ErrInvalidBody)},
}

// departures are the rules that have a section in differences.txt and a check here. Rules of a single case have their
// expectation in that file instead.
var departures map[string]departure

func init() {
	departures = map[string]departure{"download-names": downloadNames}
	for _, list := range []map[string]departure{wireDepartures, urlDepartures, textDepartures, authDepartures} {
		maps.Copy(departures, list)
	}
}

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

// linesAreCut finds a chunk that ends between CR and LF, or behind a delimiter that may itself come in pieces.
func linesAreCut(in input, _ map[string]any) bool {
	delimiter, _, given := in.textOrBytes("delimiter")
	var sofar []byte
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		sofar = append(sofar, chunk...)
		if given && bytes.HasSuffix(sofar, delimiter) || bytes.HasSuffix(chunk, []byte("\r")) {
			return true
		}
	}
	return false
}

// inOnePiece joins the chunks.
func inOnePiece(in input) input {
	var whole []byte
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		whole = append(whole, chunk...)
	}
	return in.with("chunks", []any{b64(whole)})
}

func inUTF8(in input) input { return in.with("encoding", "utf-8") }

func hasTextFile(in input, _ map[string]any) bool { return mentioned(in.fields, "textfile") }

// textFilesAsBytes makes files of bytes of text files: their text is UTF-8.
func textFilesAsBytes(in input) input {
	edited, _ := eachObject(map[string]any(in.fields), func(o map[string]any) {
		text, ok := o["textfile"].(string)
		if !ok {
			return
		}
		runes := []rune(text)
		rest := string(runes[min(intOf(o["pos"]), len(runes)):])
		clear(o)
		o["file"] = b64Text(rest)
	}).(map[string]any)
	return input{edited}
}

func b64Text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// hasControls finds them where a request is framed: not in the content of its body.
func hasControls(in input, _ map[string]any) bool {
	for _, key := range []string{"name", "value"} {
		if b, _, ok := in.textOrBytes(key); ok && bytes.ContainsAny(b, "\x00\r\n") {
			return true
		}
	}
	return slices.ContainsFunc([]string{"method", "url", "headers", "session_headers", "cookies", "files"}, func(key string) bool {
		return mentioned(in.fields[key], "\r") || mentioned(in.fields[key], "\n") || mentioned(in.fields[key], "\x00")
	})
}

// refusedControls wants the Kind of what holds the control character.
func refusedControls(o observed) bool {
	switch o.kind {
	case "check_header_validity":
		return refusedAs(requests.ErrInvalidHeader)(o)
	case "requests_encode_files":
		return refusedAs(requests.ErrInvalidBody)(o)
	}
	return refusedAs(requests.ErrInvalidHeader, requests.ErrInvalidURL, requests.ErrInvalidMethod)(o)
}

func nameIsNoToken(in input, _ map[string]any) bool {
	name, isText, _ := in.textOrBytes("name")
	return bytes.ContainsFunc([]byte(latin1Bytes(name, isText)), func(r rune) bool {
		return r < '!' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// givesFraming finds a caller who frames the body: with a length beside chunks, or with another coding than chunked, once.
func givesFraming(in input, _ map[string]any) bool {
	kw := in.object("kwargs")
	var codings []string
	length := kw.present("data") || kw.present("json_value") || kw.present("files")
	for _, v := range kw.list("headers") {
		pair, _ := v.([]any)
		if len(pair) != 2 {
			continue
		}
		name, _ := pair[0].(string)
		value, _ := pair[1].(string)
		switch strings.ToLower(name) {
		case "transfer-encoding":
			codings = append(codings, value)
		case "content-length":
			length = true
		}
	}
	return len(codings) > 0 && (length || len(codings) > 1 || !strings.EqualFold(codings[0], "chunked"))
}

var pythonNumber = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?[0-9][0-9.]*[eE]\+?[0-9]{3,}`)

// pythonNumbers lists what RFC 8259 has no number for, and numbers that have no float, outside strings.
func pythonNumbers(in input) (names, large bool) {
	for _, m := range pythonNumber.FindAllString(string(in.bytes("content")), -1) {
		switch {
		case m[0] == '"':
		case strings.HasSuffix(m, "Infinity"), m == "NaN":
			names = true
		default:
			large = true
		}
	}
	return names, large
}

func hasPythonNumbers(in input, _ map[string]any) bool {
	names, large := pythonNumbers(in)
	return names || large
}

// jsonOfRFC wants an error where there is not a number, and elsewhere the digits as they are.
func jsonOfRFC(o observed) bool {
	if names, _ := pythonNumbers(o.in); names {
		return refusedAs(requests.ErrJSONDecode)(o)
	}
	out, _ := o.got.(map[string]any)
	text, _ := out["json"].(string)
	return o.err == nil && text == strings.TrimSpace(string(o.in.bytes("content")))
}

func hasByteOrderMark(in input, want map[string]any) bool {
	return bytes.HasPrefix(in.bytes("content"), []byte("\xef\xbb\xbf")) && want["error"] == "JSONDecodeError"
}

func withoutMark(in input) input {
	return in.with("content", map[string]any{"b64": b64Text(strings.TrimPrefix(string(in.bytes("content")), "\xef\xbb\xbf"))})
}

// charsetIsGuessed finds bytes whose charset nobody has declared and that are not UTF-8.
func charsetIsGuessed(in input, _ map[string]any) bool {
	return !in.present("encoding") && !utf8.Valid(in.bytes("content")) && !bytes.Contains(in.bytes("content"), []byte{0})
}

// sameButForCharset wants the recorded value, whatever stands for what is not ASCII.
func sameButForCharset(o observed) bool {
	out, _ := o.got.(map[string]any)
	recorded, _ := o.want["out"].(map[string]any)
	return o.err == nil && recorded != nil && asciiJSON(out["json"]) == asciiJSON(recorded["json"])
}

func asciiJSON(v any) string {
	text, _ := v.(string)
	var tree any
	if json.Unmarshal([]byte(text), &tree) != nil {
		return "not JSON: " + text
	}
	tree = mapStrings(tree, func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= utf8.RuneSelf {
				return -1
			}
			return r
		}, s)
	})
	plain, _ := json.Marshal(tree)
	return string(plain)
}

// percentIsText wants what another character instead of the percent sign gives.
func percentIsText(o observed) bool {
	edited, _ := mapStrings(map[string]any(o.in.fields), func(s string) string { return strings.ReplaceAll(s, "%", "~") }).(map[string]any)
	again, err := runners[o.kind](o.t, input{edited})
	got, _ := o.got.(string)
	plain, _ := again.(string)
	return o.err == nil && err == nil && strings.ReplaceAll(got, "%25", "~") == strings.ReplaceAll(plain, "%7E", "~")
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

// iteratorContent is what a streaming iterator is given.
func iteratorContent(in input) []byte {
	whole := append(in.bytes("file"), in.text("textfile")...)
	for _, c := range in.list("chunks") {
		chunk, _, _ := textOrBytes(c)
		whole = append(whole, chunk...)
	}
	return whole
}

func sizeIsWrong(in input, _ map[string]any) bool { return in.int("size") != len(iteratorContent(in)) }

// keepsAnnouncedLength wants an error where there is less than announced, and no byte read beyond where there is more.
func keepsAnnouncedLength(o observed) bool {
	whole, size := iteratorContent(o.in), o.in.int("size")
	if len(whole) < size {
		return refusedAs(requests.ErrBodyLength)(o)
	}
	return bytes.HasPrefix(whole[:size], readsOf(o)) && o.err == nil && o.gotMember("len") == size || refusedAs(requests.ErrBodyLength)(o)
}

// readsOf joins what the reads of a vector gave.
func readsOf(o observed) (joined []byte) {
	tree, _ := normalTree(o.got).(map[string]any)
	reads, _ := tree["reads"].([]any)
	for _, r := range reads {
		b, _, _ := textOrBytes(r)
		joined = append(joined, b...)
	}
	return joined
}

func (o observed) gotMember(name string) int {
	tree, _ := normalTree(o.got).(map[string]any)
	return intOf(tree[name])
}

// readsTheRest finds a read of everything after one that left something in Python's buffer, which then is lost.
func readsTheRest(in input, _ map[string]any) bool {
	reads := in.list("reads")
	return len(reads) > 1 && slices.ContainsFunc(reads[1:], func(n any) bool { return intOf(n) == -1 })
}

func givesEverything(o observed) bool {
	return o.err == nil && bytes.Equal(readsOf(o), iteratorContent(o.in)) && o.sameBut("reads")
}

// filesFromPosition cuts off of files what lies before where they stand.
func filesFromPosition(in input) input {
	edited, _ := eachObject(textFilesAsBytes(in).fields, func(o map[string]any) {
		text, ok := o["file"].(string)
		if !ok || o["pos"] == nil {
			return
		}
		content, _ := decodeB64(text)
		o["file"] = b64Text(string(content[min(intOf(o["pos"]), len(content)):]))
		delete(o, "pos")
	}).(map[string]any)
	return input{edited}
}

var userInfo = regexp.MustCompile(`^([a-z]+://)[^/?#@]*@`)

func hasUserInfo(in input, _ map[string]any) bool {
	found := false
	mapStrings(map[string]any(in.fields), func(s string) string {
		found = found || userInfo.MatchString(s)
		return s
	})
	return found
}

func withoutUserInfo(in input) input {
	edited, _ := mapStrings(map[string]any(in.fields), func(s string) string { return userInfo.ReplaceAllString(s, "$1") }).(map[string]any)
	return input{edited}
}

// setCookies lists the Set-Cookie lines of a vector.
func setCookieLines(in input) (lines []string) {
	for _, set := range in.objects("set") {
		lines = append(lines, set.texts("set_cookie")...)
	}
	return lines
}

func setsControls(in input, _ map[string]any) bool {
	return slices.ContainsFunc(setCookieLines(in), func(line string) bool {
		return strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	})
}

func keepsNoCookie(o observed) bool {
	out, ok := o.got.(map[string]any)
	jar, shown := normalTree(out["jar"]).([]any)
	return o.err == nil && ok && shown && len(jar) == 0 && out["cookie"] == nil
}

var badDate = regexp.MustCompile(`(?i);\s*expires=([^;]*)`)

// hasDateOfNoMonth finds an expiry without a month, for which Python drops every cookie of the response.
func hasDateOfNoMonth(in input, _ map[string]any) bool {
	return slices.ContainsFunc(setCookieLines(in), func(line string) bool {
		m := badDate.FindStringSubmatch(line)
		return m != nil && !monthName.MatchString(m[1])
	})
}

var monthName = regexp.MustCompile(`(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec`)

func withoutBadDates(in input) input {
	edited, _ := mapStrings(map[string]any(in.fields), func(s string) string {
		return badDate.ReplaceAllStringFunc(s, func(attribute string) string {
			if monthName.MatchString(attribute) {
				return attribute
			}
			return ""
		})
	}).(map[string]any)
	return input{edited}
}

var boundaryPattern2046 = regexp.MustCompile(`^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$`)

func boundaryIsNone(in input, _ map[string]any) bool {
	return in.present("boundary") && !boundaryPattern2046.MatchString(in.text("boundary"))
}
