package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// scenario is one recorded session; see FORMAT.md beside the recordings.
type scenario struct {
	ID      string                     `json:"id"`
	Loose   []string                   `json:"loose"`
	Env     map[string]string          `json:"env"`
	Files   map[string]json.RawMessage `json:"files"`
	Origins map[string]serverSpec      `json:"origins"`
	Session json.RawMessage            `json:"session"`
	Calls   json.RawMessage            `json:"calls"`
	Expect  json.RawMessage            `json:"expect"`

	tried func(rule string) // told which rules were given broken results, may be nil
}

// TestScenarios runs scenarios/*.json.
func TestScenarios(t *testing.T) {
	tl, cases := newTally(t), len(unseenReplies)
	t.Cleanup(func() { tl.wantTried(t, cases, "bodies-are-sent-whole") })
	play := func(t *testing.T, sc *scenario, want any) string {
		if !sc.touchesProcess() {
			t.Parallel()
		}
		sc.tried = tl.try
		wrong, different := sc.run(t, want, requests.PolicyRequests())
		if different {
			tl.markDifferent(sc.ID)
		}
		return wrong
	}
	tl.runUnseen(t, play)
	for _, file := range caseFiles(t, "scenarios") {
		var scenarios []scenario
		if err := json.Unmarshal(readFile(t, file), &scenarios); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases += len(scenarios)
		for _, sc := range scenarios {
			want, covered := expectation(t, sc.ID, decodeTree(t, sc.Expect))
			tl.run(t, baseName(file), sc.ID, covered, func(t *testing.T) string { return play(t, &sc, want) })
		}
	}
}

// touchesProcess tells whether a scenario needs environment variables of its own, and so cannot run beside others.
func (sc *scenario) touchesProcess() bool {
	for name := range sc.Files {
		if strings.HasPrefix(name, "~/") {
			return true
		}
	}
	return len(sc.Env) > 0 || bytes.Contains(sc.Calls, []byte(`"bypass_proxy"`))
}

// run plays the scenario and says what is wrong, and whether a rule of departures covers what is not as recorded. One
// with times in it is played again more slowly before it counts as wrong: what was recorded within 0.2 s on a quiet
// machine holds on a busy one, but not within 0.2 s.
func (sc *scenario) run(t *testing.T, want any, policy requests.Policy) (wrong string, different bool) {
	for _, slower := range []float64{1, 8, 40} {
		wrong, different = sc.slowed(slower).play(t, clone(want), policy)
		if wrong == "" || !sc.hasTimes() {
			break
		}
	}
	return wrong, different
}

var (
	times  = regexp.MustCompile(`"(timeout|delay_ms)":\s*(\[[^\]]*\]|[0-9.]+)`)
	number = regexp.MustCompile(`[0-9.]+`)
)

func (sc *scenario) hasTimes() bool {
	return times.Match(sc.Calls) || slices.ContainsFunc(slices.Collect(maps.Values(sc.Origins)), func(s serverSpec) bool { return times.Match(s.Replies) })
}

// slowed is the scenario with its time limits and its servers' pauses multiplied.
func (sc *scenario) slowed(by float64) *scenario {
	slow := *sc
	multiply := func(raw json.RawMessage) json.RawMessage {
		return times.ReplaceAllFunc(raw, func(match []byte) []byte {
			return number.ReplaceAllFunc(match, func(digits []byte) []byte {
				n, err := strconv.ParseFloat(string(digits), 64)
				if err != nil {
					return digits
				}
				return strconv.AppendFloat(nil, n*by, 'f', -1, 64)
			})
		})
	}
	slow.Calls = multiply(sc.Calls)
	slow.Origins = maps.Clone(sc.Origins)
	for name, origin := range slow.Origins {
		origin.Replies = multiply(origin.Replies)
		slow.Origins[name] = origin
	}
	return &slow
}

// play runs the scenario once.
func (sc *scenario) play(t *testing.T, want any, policy requests.Policy) (wrong string, different bool) {
	st := sc.stage(t)
	sc.environment(t, st)
	r := newRunner(t, st, st.fill(sc.Session), policy)
	results := r.calls(t, st.fill(sc.Calls))
	got := r.finish(results)
	return sc.compare(t, st, r, want, got), r.different
}

// stage starts the servers and writes the files.
func (sc *scenario) stage(t *testing.T) *site {
	t.Helper()
	pki, err := testPKI()
	if err != nil {
		t.Fatal(err)
	}
	st := &site{servers: map[string]*server{}, dir: t.TempDir(), home: t.TempDir(), pki: pki}
	for name, spec := range sc.Origins {
		if st.servers[name], err = listen(spec); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(st.servers[name].stop)
	}
	for _, srv := range st.servers {
		st.startServer(t, srv)
	}
	for name, content := range sc.Files {
		st.writeFile(t, name, st.fill(content))
	}
	return st
}

func (s *site) startServer(t *testing.T, srv *server) {
	t.Helper()
	if srv.spec.To != "" {
		srv.forward = s.servers[srv.spec.To].addr
	}
	var replies []reply
	if raw := s.fill(srv.spec.Replies); raw != nil {
		if err := json.Unmarshal(raw, &replies); err != nil {
			t.Fatalf("replies: %v", err)
		}
	}
	srv.start(t, replies)
}

func (s *site) writeFile(t *testing.T, name string, content json.RawMessage) {
	t.Helper()
	var text string
	var data []byte
	if err := json.Unmarshal(content, &text); err == nil {
		data = []byte(text) // text files are UTF-8
	} else {
		var wrapped wireText
		if err := json.Unmarshal(content, &wrapped); err != nil {
			t.Fatal(err)
		}
		data = wrapped
	}
	path := filepath.Join(s.dir, name)
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		path = filepath.Join(s.home, rest)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (sc *scenario) environment(t *testing.T, st *site) {
	if !sc.touchesProcess() {
		return
	}
	t.Setenv("HOME", st.home)
	for name, value := range sc.Env {
		t.Setenv(name, st.fillText(value))
	}
}

// compare masks what cannot be equal, applies what may differ, and wants the rest to be the same.
func (sc *scenario) compare(t *testing.T, st *site, r *runner, want, got any) string {
	t.Helper()
	wantTree := normalNumbers(unwrapBytes(want)).(map[string]any)
	gotTree := toTree(t, got)
	gotTree = r.credentials.maskDigests(gotTree)
	gotTree = mapStrings(maskBoundaries(gotTree), st.masker())
	gotTree = maskExpiry(wantTree, gotTree, time.Now())
	if sameButSkipped(t, wantTree, gotTree.(map[string]any)) {
		t.Skip("no step of it can be expressed: " + r.skipReason)
	}
	wrong, rules := sc.judge(t, wantTree, gotTree.(map[string]any))
	if wrong == "" && len(rules) > 0 {
		t.Logf("%s is different by %s", sc.ID, strings.Join(rules, ", "))
		r.different = true
	}
	return wrong
}

// judge compares what came with the recording, and where that is not the same with what the rules of departures make of it.
func (sc *scenario) judge(t *testing.T, want, got map[string]any) (wrong string, rules []string) {
	sides := func(want map[string]any) (any, any) {
		return loosen(t, sc.Loose, orderFree(want)), loosen(t, sc.Loose, orderFree(got))
	}
	if wrong = mismatch(sides(want)); wrong == "" {
		return "", nil
	}
	ruled, rules := sc.rewritten(want, got)
	if still := mismatch(sides(ruled)); still != "" || len(rules) == 0 {
		return wrong, nil
	}
	sc.brokenPasses(t, ruled, got, rules)
	return "", rules
}

// orderFree sorts the lists that have no order: the bases of an error, and links by their key.
func orderFree(tree any) any {
	return eachObject(tree, func(o map[string]any) {
		emptyValue(o)
		for _, key := range []string{"bases", "links"} {
			if items, ok := o[key].([]any); ok {
				o[key] = slices.SortedFunc(slices.Values(items), func(a, b any) int {
					return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
				})
			}
		}
	})
}

// mismatch shows how two trees differ, "" if they do not.
func mismatch(want, got any) string {
	diff := cmp.Diff(want, got)
	if diff == "" {
		return ""
	}
	return "(-want +got):\n" + diff
}

// sameButSkipped takes steps which were skipped out of both sides and tells whether none is left.
func sameButSkipped(t *testing.T, want, got map[string]any) bool {
	t.Helper()
	wantCalls, gotCalls := want["calls"].([]any), got["calls"].([]any)
	if len(wantCalls) != len(gotCalls) {
		t.Fatalf("%d steps gave %d results", len(wantCalls), len(gotCalls))
	}
	left := 0
	for i, g := range gotCalls {
		if object, ok := g.(map[string]any); ok && object["skipped"] != nil {
			wantCalls[i], gotCalls[i] = nil, nil
			continue
		}
		alignError(wantCalls[i], g)
		left++
	}
	return left == 0 && len(gotCalls) > 0
}

// alignError accepts any error instead of one that is none of Requests' own: those carry a module.
func alignError(want, got any) {
	w, ok := want.(map[string]any)
	g, isObject := got.(map[string]any)
	if !ok || !isObject || w["module"] == nil || g["error"] == nil {
		return
	}
	for _, k := range []string{"error", "module", "bases", "message"} {
		delete(g, k)
		if v, ok := w[k]; ok {
			g[k] = v
		}
	}
}
