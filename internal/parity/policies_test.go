package parity

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

// The scenarios are run twice: as Requests behaves, and under the default Policy. Where the default gives something else
// than was recorded, a field of Policy must be the reason, and the scenario must be about what that field is for.

// TestScenariosByDefault runs scenarios/*.json under the zero Policy.
func TestScenariosByDefault(t *testing.T) {
	tl, cases := newTally(t), len(unseenReplies)
	t.Cleanup(func() { tl.wantTried(t, cases) })
	play := func(t *testing.T, sc *scenario, want any) string {
		if !sc.touchesProcess() {
			t.Parallel()
		}
		sc.tried = tl.try
		wrong, different := sc.run(t, want, requests.Policy{})
		if wrong != "" {
			wrong, different = sc.explain(t, want, wrong)
		}
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

// explain looks for the fields of Policy without which the scenario is not as recorded.
func (sc *scenario) explain(t *testing.T, want any, wrong string) (string, bool) {
	policy := requests.PolicyRequests()
	fields := reflect.ValueOf(&policy).Elem()
	var needed []string
	for i := range fields.NumField() {
		fields.Field(i).SetBool(false)
		if still, _ := sc.run(t, want, policy); still != "" {
			fields.Field(i).SetBool(true)
			needed = append(needed, fields.Type().Field(i).Name)
		}
	}
	if len(needed) == 0 {
		return "no field of Policy explains this: " + wrong, false
	}
	t.Logf("%s is different by Policy.%s", sc.ID, strings.Join(needed, ", Policy."))
	for _, name := range needed {
		if about := policySubjects[name]; about == nil || !about(sc) {
			return "the scenario is not about Policy." + name + ", which brings the recorded result back (see policySubjects): " + wrong, false
		}
	}
	return "", true
}

// clone is a copy of an expectation: comparing edits it.
func clone(want any) any { return eachObject(want, func(map[string]any) {}) }

// policySubjects tell for each field of Policy whether a scenario is about what the field is for.
var policySubjects = map[string]func(sc *scenario) bool{
	"KeepCrossOriginHeaders":     redirects,
	"CrossOriginDigest":          both(has(`"digest"`), func(sc *scenario) bool { return len(sc.Origins) > 1 || redirects(sc) }),
	"ChallengesAsRequests":       has(`"digest"`),
	"ResendUnrewindable":         has(`"data"`),
	"MethodsAsRequests":          redirects,
	"BodiesAsRequests":           has(`"(json|files)"`),
	"MountsAsRequests":           has(`"mounts"`),
	"HeadersAsRequests":          has(`(?i)headers|prepare`),
	"NoDefaultTimeouts":          has(`timeout`),
	"CertAcrossOrigins":          both(redirects, has(`"cert"`)),
	"AllowDowngrade":             both(redirects, has(`"tls": ?true`)),
	"NetrcOnRedirect":            both(redirects, usesNetrc),
	"NetrcDefault":               both(usesNetrc, has(`default`)),
	"NetrcAsRequests":            usesNetrc,
	"NetrcReplacesAuthorization": both(has(`(?i)netrc|://[^/"]*@`), has(`(?i)"auth`)),
	"NetrcIgnoresUser":           both(usesNetrc, has(`@`)),
	"NetscapeCookies":            has(`(?i)cookie`),
	"EnvironmentProxiesFirst":    has(`(?i)_proxy"|"proxies"`),
	"NoProxyAsRequests":          has(`(?i)_proxy"`),
	"EnvironmentCAFirst":         has(`CA_BUNDLE`),
	"SendIgnoresEnvironmentCA":   has(`CA_BUNDLE`),
	"LinksAsRequests":            replyHas("Link"),
	"TruncatedContent":           replyHas("Content-Encoding"),
}

// has looks for a pattern in what the scenario sets up and calls.
func has(pattern string) func(sc *scenario) bool {
	p := regexp.MustCompile(pattern)
	return func(sc *scenario) bool {
		all, _ := json.Marshal([]any{sc.Env, sc.Files, sc.Origins, sc.Session, sc.Calls})
		return p.Match(all)
	}
}

func both(a, b func(sc *scenario) bool) func(sc *scenario) bool {
	return func(sc *scenario) bool { return a(sc) && b(sc) }
}

func redirects(sc *scenario) bool {
	for _, spec := range sc.Origins {
		if bytes.Contains(bytes.ToLower(spec.Replies), []byte("location:")) {
			return true
		}
	}
	return false
}

// replyHas looks for a field in what the servers send.
func replyHas(name string) func(sc *scenario) bool {
	return func(sc *scenario) bool {
		return slices.ContainsFunc(sc.rawReplies(), func(r input) bool { return len(rawField(r, name)) > 0 })
	}
}

func usesNetrc(sc *scenario) bool {
	return has(`(?i)netrc`)(sc)
}
