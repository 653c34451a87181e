package parity

import (
	"slices"
	"strings"
)

// closedBodies wants reading of a body that was closed before its end to fail.
func closedBodies(sc *scenario, want, _ map[string]any) map[string]any {
	calls, closed := sc.tree(), false
	return withCalls(want, func(i int, call map[string]any) map[string]any {
		switch op, _ := calls[i]["op"].(string); op {
		case "close":
			closed = true
		case "", "request", "send":
			closed = false
		case "content", "text", "json", "iter_content", "iter_lines", "raw_read":
			if closed && (call["content"] == "" || call["text"] == "" || isEmptyList(call["items"]) || call["data"] == "") {
				return failure("StreamConsumedError")
			}
		}
		return call
	})
}

// keptAfterClose wants one connection where a short rest of a body was closed: by the
// caller, or with a response that a hook has replaced.
func keptAfterClose(sc *scenario, want, _ map[string]any) map[string]any {
	closes := func(call map[string]any) bool { return call["op"] == "close" }
	if !slices.ContainsFunc(sc.tree(), closes) && !strings.Contains(string(sc.Calls)+string(sc.Session), `"replace"`) {
		return want
	}
	out := clonedTree(want)
	wire, _ := out["wire"].(map[string]any)
	for name, spec := range sc.Origins {
		requests, _ := wire[name].([]any)
		replies := spec.scripted()
		for i := 1; i < min(len(requests), len(replies)); i++ {
			before, _ := requests[i-1].(map[string]any)
			entry, _ := requests[i].(map[string]any)
			if len(replies[i-1].Send) < shortReply && len(replies[i-1].Parts) == 0 && !replies[i-1].Close {
				entry["conn"] = before["conn"]
			}
		}
	}
	return out
}

// shortReply is longer than any reply whose rest counts as short.
const shortReply = 4 << 10

func isEmptyList(v any) bool { items, ok := v.([]any); return ok && len(items) == 0 }

// wholeLines wants the lines of the whole body where chunks cut it.
func wholeLines(sc *scenario, want, got map[string]any) map[string]any {
	calls, last := sc.tree(), -1
	replies := sc.rawReplies()
	return withCalls(want, func(i int, call map[string]any) map[string]any {
		switch op, _ := calls[i]["op"].(string); op {
		case "", "request", "send":
			last++
		case "iter_lines":
			if last < len(replies) && last >= 0 && calls[i]["limit"] == nil && calls[i]["of"] == nil && call["items"] != nil && call["error"] == nil {
				return map[string]any{"items": linesOf(replies[last], calls[i], call["items"])}
			}
		}
		return call
	})
}

// linesOf splits the body of a reply as a whole, in the form in which lines were recorded.
func linesOf(r input, call map[string]any, recorded any) []any {
	_, body, _ := cutHead(withoutInterim(string(r.bytes("raw"))))
	if data, ok := chunkedData(r); ok && len(rawField(r, "Transfer-Encoding")) > 0 {
		body = string(data)
	}
	items, _ := recorded.([]any)
	delimiter, given := call["delimiter"].(string)
	if len(items) == 0 || !isText(items[0]) || len(rawField(r, "Content-Encoding")) > 0 {
		return items
	}
	out := []any{}
	if given {
		for part := range strings.SplitSeq(body, delimiter) {
			out = append(out, latin1(part))
		}
		return out
	}
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")) {
		out = append(out, latin1(strings.TrimSuffix(line, "\n")))
	}
	return out
}

// unrewindableBodies wants UnrewindableBodyError where Requests sends a stream again empty, and no such request.
func unrewindableBodies(_ *scenario, want, got map[string]any) map[string]any {
	gaveUp := false
	out := withCalls(want, func(i int, call map[string]any) map[string]any {
		if call["error"] == nil && callAt(got, i)["error"] == "UnrewindableBodyError" {
			gaveUp = true
			return failure("UnrewindableBodyError")
		}
		return call
	})
	if !gaveUp {
		return want
	}
	wire, _ := out["wire"].(map[string]any)
	for name, requests := range wire {
		list, _ := requests.([]any)
		wire[name] = slices.DeleteFunc(slices.Clone(list), sentEmpty)
	}
	delete(out, "session_cookies")
	if cookies, ok := got["session_cookies"]; ok {
		out["session_cookies"] = cookies
	}
	return out
}

// sentEmpty reports whether a request announces a body and has none.
func sentEmpty(request any) bool {
	o, _ := request.(map[string]any)
	raw, _ := o["raw"].(string)
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	head = strings.ToLower(head)
	return strings.Contains(head, "transfer-encoding: chunked") && body == "0\r\n\r\n" || strings.Contains(head, "\r\ncontent-length: ") && body == "" && !strings.Contains(head, "content-length: 0")
}
