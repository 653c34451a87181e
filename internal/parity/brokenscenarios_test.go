package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// unseenReplies are what servers send in scenarios of which no recording that comes with this library is a case, by the
// rule that is right about them; Requests takes each for a response whose content is "ok".
var unseenReplies = map[string]string{
	"status-line":                    "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"transfer-encoding-only-chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"unknown-codings-are-named":      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, xyz\r\nContent-Length: 2\r\n\r\nok",
}

// unseenScenario is one GET that a server answers so.
func unseenScenario(rule, send string) scenario {
	const request = `GET / HTTP/1.1\r\nHost: ${origin.a}\r\nUser-Agent: ${ua}\r\nAccept-Encoding: ${ae}\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n`
	return scenario{
		ID:      "unseen/" + rule,
		Origins: map[string]serverSpec{"a": {Replies: json.RawMessage(fmt.Sprintf(`[{"send": %q, "close": true}]`, send))}},
		Calls:   json.RawMessage(`[{"method": "GET", "url": "http://${origin.a}/"}]`),
		Expect:  json.RawMessage(`{"calls": [{"status": 200, "content": "ok"}], "wire": {"a": [{"conn": 1, "raw": "` + request + `"}]}}`),
	}
}

// runUnseen plays the scenarios that no recording is a case of, each of which its rule has to explain.
func (tl *tally) runUnseen(t *testing.T, play func(t *testing.T, sc *scenario, want any) string) {
	for rule, send := range unseenReplies {
		sc := unseenScenario(rule, send)
		tl.run(t, "unseen", sc.ID, false, func(t *testing.T) string { return play(t, &sc, decodeTree(t, sc.Expect)) })
	}
}

// try notes that a rule was given broken results.
func (tl *tally) try(rule string) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	tl.tried[rule] = true
}

// wantTried is called when all cases are over: a rule of scenarios that was never given broken results may accept them.
// Those of idle are not for the policy of the test.
func (tl *tally) wantTried(t *testing.T, cases int, idle ...string) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	ran := 0
	for _, counts := range tl.counts {
		for _, n := range counts {
			ran += n
		}
	}
	if ran < cases {
		return // -run names some of them
	}
	for _, rule := range scenarioRules {
		if !tl.tried[rule.name] && !slices.Contains(idle, rule.name) {
			t.Errorf("no broken result was tried on rule %s: give an example in unseenReplies", rule.name)
		}
	}
}

// brokenPasses checks that the rules which explain what came do not explain a broken library's results as well.
func (sc *scenario) brokenPasses(t *testing.T, ruled, got map[string]any, rules []string) {
	t.Helper()
	tried := 0
	for _, breakage := range []func(o map[string]any){
		func(o map[string]any) { editString(o, "error", func(string) string { return "Timeout" }) },
		func(o map[string]any) { editString(o, "content", func(s string) string { return s + "WRONG" }) },
		func(o map[string]any) {
			editString(o, "raw", func(s string) string { return strings.Replace(s, " ", " /WRONG", 1) })
		},
		func(o map[string]any) { editString(o, "url", func(s string) string { return s + "/WRONG" }) },
		func(o map[string]any) { setIfPresent(o, "status", json.Number("299")) },
		func(o map[string]any) { setIfPresent(o, "bypass", o["bypass"] == false) },
	} {
		broken, _ := eachObject(got, breakage).(map[string]any)
		if mismatch(got, broken) == "" {
			continue
		}
		tried++
		want, _ := sc.rewritten(ruled, broken)
		if mismatch(loosen(t, sc.Loose, orderFree(want)), loosen(t, sc.Loose, orderFree(broken))) == "" {
			t.Errorf("%s: the rules explain broken results, too", sc.ID)
		}
	}
	if tried > 0 && sc.tried != nil {
		for _, rule := range rules {
			sc.tried(rule)
		}
	}
}
