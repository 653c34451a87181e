package digest

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// params is a parameter list as Of takes it.
type params map[string]string

func (p params) get(name string) (string, bool) {
	value, ok := p[name]
	return value, ok && value != ""
}

// The examples of RFC 7616 and RFC 2617, from the corpora.
func TestDigestCorpus(t *testing.T) {
	var file struct {
		Digest []struct {
			Source, Algorithm, Cnonce, Method, Nonce, Opaque, Password, QOP, Realm, Response, URI, Username string
			Userhash                                                                                        bool
			Firm                                                                                            *bool
		}
	}
	cases.Corpus(t, "extras.json", &file)
	for _, v := range file.Digest {
		t.Run(v.Source, func(t *testing.T) {
			if v.Firm != nil && !*v.Firm {
				t.Skip("the corpus says that the numbers of the RFC are wrong in this example")
			}
			c := Of("Digest", params{"realm": v.Realm, "nonce": v.Nonce, "opaque": v.Opaque, "algorithm": v.Algorithm, "qop": v.QOP}.get)
			turn := &Turn{c, 1, v.Cnonce}
			field, err := turn.Credentials(Request{User: v.Username, Password: v.Password, Method: v.Method, URI: v.URI, Body: noBody})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.Response, responseOf(field)); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func noBody(io.Writer) error { return nil }

var responsePattern = regexp.MustCompile(`response="([^"]*)"`)

func responseOf(field string) string {
	if m := responsePattern.FindStringSubmatch(field); m != nil {
		return m[1]
	}
	return ""
}

// Eight digits are the least, not the most: the count never starts again.
func TestCountBeyondEightDigits(t *testing.T) {
	got := []string{(&Turn{Count: 1}).nc(), (&Turn{Count: 1 << 32}).nc()}
	if diff := cmp.Diff([]string{"00000001", "100000000"}, got); diff != "" {
		t.Errorf("nc (-want +got):\n%s", diff)
	}
}

// FuzzDigestChallenge reads what servers may write: no input panics, and no answer
// holds the password.
func FuzzDigestChallenge(f *testing.F) {
	f.Add(`Basic realm="x", Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256`)
	f.Add(`digest realm="\"", nonce="`)
	for _, seed := range append(cases.FieldSeeds("WWW-Authenticate"), cases.FieldSeeds("Proxy-Authenticate")...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, asRequests := range []bool{false, true} {
			c := Find([]string{value, value}, asRequests)
			if c == nil {
				continue
			}
			turn := &Turn{c, 1, "c"}
			const password = "a password that no server writes"
			field, err := turn.Credentials(Request{User: "u", Password: password, WrittenUser: "u", Method: "GET", URI: "/", Body: noBody})
			if err != nil || strings.Contains(field, password) {
				t.Errorf("%q, %v", field, err)
			}
		}
	})
}

// What a server makes a client keep and send back is bounded (rule 45).
func TestRule45LongChallenges(t *testing.T) {
	for _, name := range []string{"realm", "nonce", "opaque"} {
		for length, want := range map[int]bool{1000: true, maxText - 3: true, maxText - 2: true, maxText - 1: false, 9000: false} {
			fields := params{"realm": "r", "nonce": "n", "opaque": "o"}
			fields[name] = strings.Repeat("x", length)
			if got := Of("Digest", fields.get) != nil; got != want {
				t.Errorf("%s of %d bytes: taken %t, want %t", name, length, got, want)
			}
		}
	}
}

// Whatever a server writes is read in linear time (rule 45): a field four times as
// long as a head may be takes milliseconds, where quadratic time would be minutes.
func TestRule45LinearTime(t *testing.T) {
	const size = 1 << 20
	for _, unit := range []string{
		`Digest `, `Digest realm="r",`, `Digest realm="r", nonce="n", qop="auth,`, `,`, `"`, `\`, `="`, `a="\"`, `Digest a=b, `, `qop=auth,`, "= ", "\t", `Digest Digest=`,
	} {
		for _, asRequests := range []bool{false, true} {
			value := strings.Repeat(unit, size/len(unit))
			if took := wiretest.Spent(func() { Find([]string{value}, asRequests) }); took > 5*time.Second {
				t.Errorf("%q, like Requests %t: %v", unit, asRequests, took)
			}
		}
	}
}
