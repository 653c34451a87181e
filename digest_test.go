package requests

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stubSession answers every request with what reply returns and records what was
// sent.
func stubSession(reply func(p *PreparedRequest) *Response) (*Session, *[]*PreparedRequest) {
	s := NewSession()
	s.TrustEnv = false
	var mu sync.Mutex
	var sent []*PreparedRequest
	stub := AdapterFunc(func(_ context.Context, p *PreparedRequest, _ SendOptions) (*Response, error) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, p)
		return reply(p), nil
	})
	s.Mount("http://", stub)
	s.Mount("https://", stub)
	return s, &sent
}

func testNonce() string { return "0a4f113bcafebabe" }

var responsePattern = regexp.MustCompile(`response="([^"]*)"`)

func responseOf(header string) string {
	if m := responsePattern.FindStringSubmatch(header); m != nil {
		return m[1]
	}
	return ""
}

// Responses computed with Python's hashlib, by the name of the case below.
var digestResponses = map[string]string{
	"qop with blanks":      "e025c2c138080f352430a5f81de9782b",
	"auth-int":             "312d452d7cac98841017c1e1a2170f91",
	"-sess without qop":    "ad51e35604b68bf5a4649623a7ca2ba45e6830a3dea95c9f6a9a0dc68288c7a7",
	"SHA-512-256":          "cff5b9fd6b0ffbd3c502f981f49a99e52dd61822d98460580c9df7eb571e6bc3",
	"the second challenge": "f03037812c12ab28ebd775b18fd6a3c9",
}

// What goes beyond Requests.
func TestDigestBeyondRequests(t *testing.T) {
	const start = `Digest username="u", realm="r", nonce="n", uri="/a;b?c", response="`
	for _, tt := range []struct {
		name, challenge, body string
		want                  string // response="…" and what follows; "" for no answer
	}{
		{"qop with blanks", `Digest realm="r", nonce="n", qop="auth-int , AUTH"`, "", `", qop=auth, nc=00000001, cnonce="0a4f113bcafebabe"`},
		{"auth-int", `Digest realm="r", nonce="n", qop="auth-int"`, "body", `", qop=auth-int, nc=00000001, cnonce="0a4f113bcafebabe"`},
		{"SHA-512-256", `Digest realm="r", nonce="n", algorithm=SHA-512-256, qop=auth`, "", `", algorithm=SHA-512-256, qop=auth, nc=00000001, cnonce="0a4f113bcafebabe"`},
		{"-sess without qop", `Digest realm="r", nonce="n", algorithm=SHA-256-sess`, "", `", algorithm=SHA-256-sess, cnonce="0a4f113bcafebabe"`},
		{"the second challenge", `Digest realm="x", nonce="x", algorithm=TOKEN, Digest realm="r", nonce="n"`, "", `"`},
		{"behind another scheme", `Negotiate abc=, Digest realm="r", nonce="n"`, "", `"`},
		{"no nonce", `Digest realm="r"`, "", ""},
		{"unknown qop", `Digest realm="r", nonce="n", qop="auth-conf"`, "", ""},
		{"not a scheme", `Basic realm="digest", nonce="n"`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sent := challenged(tt.challenge)
			d := DigestAuth("u", "p")
			d.ClientNonce = testNonce
			if _, err := s.Post(t.Context(), "http://h.test/a;b?c", Body(tt.body), Authenticate(d)); err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if len(*sent) != 1 {
					t.Errorf("sent %d requests, want 1", len(*sent))
				}
				return
			}
			got := (*sent)[len(*sent)-1].Headers.Get("Authorization")
			response := responseOf(got)
			if diff := cmp.Diff(start+response+tt.want, got); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
			if want := digestResponses[tt.name]; want != "" && want != response {
				t.Errorf("response %s, want %s", response, want)
			}
		})
	}
}

// challenged is a session whose server answers 401 until it gets credentials.
func challenged(challenge ...string) (*Session, *[]*PreparedRequest) {
	return stubSession(func(p *PreparedRequest) *Response {
		if p.Headers.Has("Authorization") {
			return NewResponse(p, 200, nil, nil)
		}
		headers := Headers{}
		for _, c := range challenge {
			headers.Add("WWW-Authenticate", c)
		}
		return NewResponse(p, 401, headers, nil)
	})
}

func TestDigestUserhashAndEscapes(t *testing.T) {
	s, sent := challenged(`Digest realm="a\"b", nonce="n\\m", algorithm=SHA-256, userhash=true`)
	if _, err := s.Get(t.Context(), "http://h.test/", Authenticate(DigestAuth("J\u00e4s\u00f8n", "p"))); err != nil {
		t.Fatal(err)
	}
	got := (*sent)[1].Headers.Get("Authorization")
	got = strings.Replace(got, responseOf(got), "R", 1)
	want := `Digest username="` + "0f61f23bf730f3c885a4b268354f6be6b8dbd3abfa61e955ec2d9a5a99d78f5c" + `", realm="a\"b", nonce="n\\m", uri="/", response="R", algorithm=SHA-256, userhash=true`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Authorization (-want +got):\n%s", diff)
	}
}

// Several fields, of which only the second is a digest challenge.
func TestDigestChallengeInSeveralFields(t *testing.T) {
	s, sent := challenged(`Basic realm="unfinished`, `Digest realm="r", nonce="n", qop="auth"`)
	if _, err := s.Get(t.Context(), "http://h.test/", Authenticate(DigestAuth("u", "p"))); err != nil {
		t.Fatal(err)
	}
	if len(*sent) != 2 {
		t.Errorf("sent %d requests, want 2", len(*sent))
	}
}

// One object used at once by many: no two requests share nonce and count.
func TestDigestConcurrently(t *testing.T) {
	const workers, each = 64, 8
	s, sent := challenged(`Digest realm="r", nonce="n", qop="auth"`)
	s.Auth = DigestAuth("u", "p")
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if _, err := s.Get(t.Context(), "http://h.test/"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	count := regexp.MustCompile(`nc=[0-9a-f]+`)
	for _, p := range *sent {
		nc := count.FindString(p.Headers.Get("Authorization"))
		if nc != "" && seen[nc] {
			t.Errorf("%s was sent twice", nc)
		}
		seen[nc] = true
	}
}

// A server that gives a new nonce each time, and one that takes an old one up
// again: the count of a nonce goes on where it was.
func TestDigestCountsPerNonce(t *testing.T) {
	nonces := []string{"a", "b", "a"}
	tries := 0
	s, sent := stubSession(func(p *PreparedRequest) *Response {
		if p.original != nil {
			return NewResponse(p, 200, nil, nil)
		}
		tries++
		return NewResponse(p, 401, Headers{{"WWW-Authenticate", `Digest realm="r", nonce="` + nonces[tries-1] + `", qop=auth, stale=true`}}, nil)
	})
	s.Auth = DigestAuth("u", "p")
	for range nonces {
		if _, err := s.Get(t.Context(), "http://h.test/"); err != nil {
			t.Fatal(err)
		}
	}
	pattern := regexp.MustCompile(`nonce="(.)".*nc=0000000(.)`)
	var got []string
	for _, p := range *sent {
		m := pattern.FindStringSubmatch(p.Headers.Get("Authorization"))
		if m == nil {
			got = append(got, "-")
			continue
		}
		got = append(got, m[1]+m[2])
	}
	if diff := cmp.Diff([]string{"-", "a1", "a2", "b1", "b2", "a3"}, got); diff != "" {
		t.Errorf("nonces and counts (-want +got):\n%s", diff)
	}
}
