package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A scenarioRule is a departure in whole scenarios. rewrite puts what docs/differences.md promises into a recorded
// expectation, looking at the scenario and, where only the outcome tells which call is concerned, at what came. It
// returns the tree as it is where the rule has nothing to say.
type scenarioRule struct {
	name    string
	rewrite func(sc *scenario, want, got map[string]any) map[string]any
}

// scenarioRules are applied in this order, each to what the others have left.
var scenarioRules = []scenarioRule{
	{"cut-head", failsWith(headIsCut, "ConnectionError")},
	{"status-line", failsWith(hasBadStatusLine, "ConnectionError")},
	{"field-lines", failsWith(hasBadLine, "ConnectionError")},
	{"content-length-digits", failsWith(hasBadLength, "InvalidHeader")},
	{"transfer-encoding-only-chunked", failsWith(hasOtherCoding, "ConnectionError")},
	{"chunk-framing", failsWith(hasBadChunks, "ChunkedEncodingError")},
	{"unknown-codings-are-named", failsWith(hasUnknownCoding, "ContentDecodingError")},
	{"head-limits", longHeads},
	{"field-value-blanks", plainValues},
	{"retry-after-ignored", unreadableRetryAfter},
	{"one-reading-of-a-host", refusingURLs(hasTwoReadings)},
	{"hosts-that-are-none", refusingURLs(hostIsNone)},
	{"rule-5", proxyAuthorizationAtProxies},
	{"rule-10", bareRedirects},
	{"rule-39", maskedMessages},
	{"chunked-wins-and-closes", closingAfterBoth},
	{"closed-is-consumed", closedBodies},
	{"short-rests-are-read", keptAfterClose},
	{"addresses-in-one-form", bypassedAddresses},
	{"lines-wherever-cut", wholeLines},
	{"zones", zonesStayHere},
	{"idna-in-redirects", idnaHosts},
	{"bodies-are-sent-whole", unrewindableBodies},
}

// rewritten applies every rule to an expectation and names those that changed it.
func (sc *scenario) rewritten(want, got map[string]any) (map[string]any, []string) {
	var used []string
	for _, rule := range scenarioRules {
		next := rule.rewrite(sc, want, got)
		if mismatch(want, next) != "" {
			used = append(used, rule.name)
		}
		want = next
	}
	return want, used
}

// rawReplies lists what the servers of a scenario send, each as the input of a vector.
func (sc *scenario) rawReplies() []input {
	var all []input
	for _, name := range sortedKeys(sc.Origins) {
		for _, r := range sc.Origins[name].scripted() {
			whole := slices.Clone([]byte(r.Send))
			for _, part := range r.Parts {
				whole = append(whole, part.Send...)
			}
			all = append(all, input{map[string]any{"raw": b64(whole)}})
		}
	}
	return all
}

// scripted decodes the replies, their placeholders unfilled.
func (spec serverSpec) scripted() []reply {
	var replies []reply
	if spec.Replies == nil || json.Unmarshal(spec.Replies, &replies) != nil {
		return nil
	}
	return replies
}

// tree is the calls of a scenario as plain values.
func (sc *scenario) tree() []map[string]any {
	var calls []map[string]any
	_ = json.Unmarshal(sc.Calls, &calls)
	return calls
}

func failure(class string) map[string]any {
	return map[string]any{"error": class, "bases": basesOf(class)}
}

// basesOf lists the classes of Requests that a class is, besides itself, as results show them.
func basesOf(class string) []any {
	bases := []any{}
	for _, k := range errorKinds {
		if k.name != class {
			continue
		}
		for _, name := range errorNames(k.kind) {
			if name != class {
				bases = append(bases, name)
			}
		}
	}
	return bases
}

// withCalls returns a copy of an expectation whose results of calls f has edited.
func withCalls(want map[string]any, f func(i int, call map[string]any) map[string]any) map[string]any {
	out := clonedTree(want)
	calls, _ := out["calls"].([]any)
	for i := range calls {
		if call, ok := calls[i].(map[string]any); ok {
			calls[i] = f(i, call)
		}
	}
	return out
}

func clonedTree(tree map[string]any) map[string]any {
	out, _ := eachObject(tree, func(map[string]any) {}).(map[string]any)
	return out
}

func callAt(tree map[string]any, i int) map[string]any {
	calls, _ := tree["calls"].([]any)
	if i >= len(calls) {
		return nil
	}
	call, _ := calls[i].(map[string]any)
	return call
}

// failsWith lets as many calls fail with the class as there are replies of the kind, where they came to that.
func failsWith(bad func(in input, want map[string]any) bool, class string) func(*scenario, map[string]any, map[string]any) map[string]any {
	return func(sc *scenario, want, got map[string]any) map[string]any {
		left := 0
		for _, r := range sc.rawReplies() {
			if len(r.bytes("raw")) > 0 && bad(r, nil) {
				left++
			}
		}
		return withCalls(want, func(i int, call map[string]any) map[string]any {
			if came := callAt(got, i); left > 0 && call["error"] != class && came["error"] == class {
				left--
				return failure(class)
			}
			return call
		})
	}
}

// longHeads wants the response that was sent where Python refuses its size.
func longHeads(sc *scenario, want, got map[string]any) map[string]any {
	var long []input
	for _, r := range sc.rawReplies() {
		if isLongHead(r, nil) {
			long = append(long, r)
		}
	}
	return withCalls(want, func(i int, call map[string]any) map[string]any {
		came := callAt(got, i)
		if len(long) == 0 || call["error"] != "ConnectionError" || came["status"] == nil {
			return call
		}
		lines, _ := rawHead(long[0])
		long = long[1:]
		headers := []any{}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ":")
			headers = append(headers, []any{name, strings.Trim(value, " \t")})
		}
		sent := clonedTree(came)
		sent["headers"] = headers
		return sent
	})
}

// unreadableRetryAfter wants the response where a Retry-After that cannot be read is an error in Requests.
func unreadableRetryAfter(sc *scenario, want, got map[string]any) map[string]any {
	has := slices.ContainsFunc(sc.rawReplies(), func(r input) bool { return len(rawField(r, "Retry-After")) > 0 })
	return withCalls(want, func(i int, call map[string]any) map[string]any {
		came := callAt(got, i)
		if has && call["error"] == "InvalidHeader" && came["status"] != nil && !readableRetryAfter(headerOf(came, "Retry-After")) {
			return came
		}
		return call
	})
}

func readableRetryAfter(value string) bool {
	_, err := strconv.Atoi(value)
	return err == nil || strings.Contains(value, ":") // a date
}

// headerOf reads a header of a shown response.
func headerOf(call map[string]any, name string) string {
	pairs, _ := call["headers"].([]any)
	for _, p := range pairs {
		if pair, ok := p.([]any); ok && len(pair) == 2 && pair[0] == name {
			value, _ := pair[1].(string)
			return value
		}
	}
	return ""
}

// refusingURLs wants InvalidURL for the calls whose URL is of the kind.
func refusingURLs(bad func(in input, want map[string]any) bool) func(*scenario, map[string]any, map[string]any) map[string]any {
	return func(sc *scenario, want, got map[string]any) map[string]any {
		calls := sc.tree()
		return withCalls(want, func(i int, call map[string]any) map[string]any {
			if i < len(calls) && calls[i]["url"] != nil && bad(input{calls[i]}, nil) && callAt(got, i)["error"] == "InvalidURL" {
				return failure("InvalidURL")
			}
			return call
		})
	}
}

var proxyAuthorization = regexp.MustCompile(`(?i)\r\n(proxy-authorization: [^\r]*)`)

// proxyAuthorizationAtProxies moves the field from requests to origins to the CONNECT before them.
func proxyAuthorizationAtProxies(_ *scenario, want, _ map[string]any) map[string]any {
	var field string
	out, _ := eachObject(want, func(o map[string]any) {
		editString(o, "raw", func(raw string) string {
			m := proxyAuthorization.FindStringSubmatch(raw)
			if m == nil || strings.HasPrefix(raw, "CONNECT ") || absoluteForm.MatchString(raw) {
				return raw
			}
			field = m[1]
			return proxyAuthorization.ReplaceAllString(raw, "")
		})
	}).(map[string]any)
	if field == "" {
		return want
	}
	out, _ = eachObject(out, func(o map[string]any) {
		editString(o, "raw", func(raw string) string {
			if strings.HasPrefix(raw, "CONNECT ") && !proxyAuthorization.MatchString(raw) {
				return strings.TrimSuffix(raw, "\r\n") + field + "\r\n\r\n"
			}
			return raw
		})
	}).(map[string]any)
	return out
}

var absoluteForm = regexp.MustCompile(`^[A-Z]+ https?://`)

var bodyFields = regexp.MustCompile(`(?i)\r\n(content-encoding|trailer|expect): [^\r]*`)

// bareRedirects takes the fields about a body from a GET that a redirect has made.
func bareRedirects(sc *scenario, want, _ map[string]any) map[string]any {
	if !slices.ContainsFunc(sc.rawReplies(), func(r input) bool { return len(rawField(r, "Location")) > 0 }) {
		return want
	}
	out, _ := eachObject(want, func(o map[string]any) {
		editString(o, "raw", func(raw string) string {
			if strings.HasPrefix(raw, "GET ") {
				return bodyFields.ReplaceAllString(raw, "")
			}
			return raw
		})
		pairs, ok := o["headers"].([]any)
		if ok && o["method"] == "GET" {
			o["headers"] = slices.DeleteFunc(slices.Clone(pairs), func(p any) bool {
				name, _ := p.([]any)[0].(string)
				return bodyFields.MatchString("\r\n" + name + ": ")
			})
		}
	}).(map[string]any)
	return out
}

var userInfoInText = regexp.MustCompile(`://[^/ @]*@`)

func maskedMessages(_ *scenario, want, _ map[string]any) map[string]any {
	out, _ := eachObject(want, func(o map[string]any) {
		editString(o, "message", func(s string) string { return userInfoInText.ReplaceAllString(s, "://***@") })
	}).(map[string]any)
	return out
}

// plainValues cuts blanks behind the values of responses' fields, and makes one of each fold.
func plainValues(_ *scenario, want, _ map[string]any) map[string]any {
	out, _ := eachObject(want, func(o map[string]any) {
		headers, _ := o["headers"].([]any)
		if o["status"] == nil {
			return // not a response's
		}
		for i, h := range headers {
			if pair, ok := h.([]any); ok && len(pair) == 2 {
				value, _ := pair[1].(string)
				headers[i] = []any{pair[0], strings.TrimRight(fold.ReplaceAllString(value, " "), " \t")}
			}
		}
	}).(map[string]any)
	return out
}

// closingAfterBoth counts one connection more behind each response with a length beside chunks.
func closingAfterBoth(sc *scenario, want, _ map[string]any) map[string]any {
	out := clonedTree(want)
	wire, _ := out["wire"].(map[string]any)
	for name, spec := range sc.Origins {
		requests, _ := wire[name].([]any)
		replies, more := spec.scripted(), 0
		for i, r := range requests {
			entry, _ := r.(map[string]any)
			if more > 0 {
				entry["conn"] = addNumber(entry["conn"], more)
			}
			if i >= len(replies) {
				continue
			}
			head := input{map[string]any{"raw": b64(replies[i].Send)}}
			keeps := !replies[i].Close && len(rawField(head, "Transfer-Encoding")) > 0 && len(rawField(head, "Content-Length")) > 0
			if keeps && i+1 < len(requests) && sameConn(entry, requests[i+1], more) {
				more++
			}
		}
	}
	return out
}

func sameConn(entry map[string]any, next any, more int) bool {
	n, _ := next.(map[string]any)
	return normalNumbers(addNumber(n["conn"], more)) == normalNumbers(entry["conn"])
}

// bypassedAddresses compares addresses by value.
func bypassedAddresses(sc *scenario, want, got map[string]any) map[string]any {
	calls := sc.tree()
	return withCalls(want, func(i int, call map[string]any) map[string]any {
		in := input{calls[i]}
		if calls[i]["op"] != "bypass_proxy" || !hostIsOldAddress(in, nil) && !strings.Contains(in.text("url"), "[") || in.text("no_proxy") == "" {
			return call
		}
		for _, bypass := range []bool{true, false} {
			if bypassByValue(observed{in: in, result: result{got: bypass}}) {
				return map[string]any{"bypass": bypass}
			}
		}
		return call
	})
}

// zonesStayHere wants no zone of an IPv6 address on the wire.
func zonesStayHere(_ *scenario, want, _ map[string]any) map[string]any {
	sent, ok := want["wire"]
	if !ok {
		return want
	}
	want = maps.Clone(want)
	want["wire"] = mapStrings(sent, dropZones)
	return want
}

// idnaHosts writes percent-encoded hosts by their encoded names.
func idnaHosts(sc *scenario, want, _ map[string]any) map[string]any {
	for _, r := range sc.rawReplies() {
		for _, location := range rawField(r, "Location") {
			host := hostOf(location)
			name, err := idnaLookup(host)
			if err != nil || name == host {
				continue
			}
			escaped := paramsEscaped(input{map[string]any{"params": map[string]any{"b64": b64Text(host)}}}).text("params")
			want, _ = mapStrings(want, func(s string) string { return strings.ReplaceAll(s, escaped, name) }).(map[string]any)
		}
	}
	return want
}

// addNumber adds to a number of a tree.
func addNumber(v any, n int) any {
	return json.Number(strconv.Itoa(intOf(json.Number(fmt.Sprint(v))) + n))
}
