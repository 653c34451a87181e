package ntlm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/internal/wire"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt/auth/ntlm"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

func start(t testing.TB, s *server) *wiretest.Server {
	t.Helper()
	if s.users == nil {
		s.users, s.domain, s.scheme = map[string]string{"ada": "secret", "bob": "other"}, "CORP", max(s.scheme, "NTLM")
	}
	return wiretest.Start(t, wiretest.Config{Handler: s.handle})
}

func session(user, password string) *requests.Session {
	s := requests.NewSession()
	s.Mount("http://", ntlm.Adapter(user, password))
	return s
}

// seen lists the requests of each connection: the method, and the number of the message.
func seen(s *wiretest.Server, field string) []string {
	var list []string
	for _, r := range s.Requests() {
		text := fmt.Sprintf("%d %s", r.Conn, r.Method)
		if token := r.Get(field); token != "" {
			text += " " + strings.Fields(token)[0]
		}
		if r.Body != "" {
			text += " " + r.Body
		}
		list = append(list, text)
	}
	return list
}

// TestHandshake: three messages on one connection, which is the user's afterwards, and the body with the last.
func TestHandshake(t *testing.T) {
	for _, scheme := range []string{"NTLM", "Negotiate"} {
		other := start(t, &server{users: map[string]string{"ada": "secret"}, domain: "CORP", scheme: scheme})
		s := session(`CORP\ada`, "secret")
		for range 2 {
			r, err := s.Post(t.Context(), other.URL("/"), requests.Body("body"))
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := r.Text(); text != "ada sent body" {
				t.Errorf("got %d %q", r.StatusCode, text)
			}
			if r.Value(wire.Identified{}) == nil { // the second request has no Authorization
				t.Errorf("a cache is not told that the response is for the user")
			}
		}
		s.Close()
		want := []string{"1 POST body", "1 POST " + scheme, "1 POST " + scheme + " body", "1 POST body"}
		if diff := cmp.Diff(want, seen(other, "Authorization")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", scheme, diff)
		}
	}
}

// TestRule21ConnectionsBelongToOneUser: however many requests of two users there are at a time, and
// whether their responses are read or not, none travels on a connection of the other.
func TestRule21ConnectionsBelongToOneUser(t *testing.T) {
	other := start(t, &server{})
	ada, bob := session("ada", "secret"), session("bob", "other")
	defer ada.Close()
	defer bob.Close()
	var wg sync.WaitGroup
	for i := range 40 {
		s, want := ada, "ada sent "
		if i%2 == 1 {
			s, want = bob, "bob sent "
		}
		wg.Go(func() {
			r, err := s.Get(t.Context(), other.URL("/"), requests.Stream(i%4 < 2))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if i%8 == 0 {
				return // not read
			}
			if text, err := r.Text(); text != want || err != nil {
				t.Errorf("got %d %q, %v, want %q", r.StatusCode, text, err, want)
			}
		})
	}
	wg.Wait()
}

// TestStreamed: a response that is being read keeps its connection, and the next request has another.
func TestStreamed(t *testing.T) {
	other := start(t, &server{})
	s := session("ada", "secret")
	defer s.Close()
	first, err := s.Get(t.Context(), other.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), other.URL("/")); err != nil {
		t.Fatal(err)
	}
	if text, err := first.Text(); text != "ada sent " || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	want := []string{"1 GET", "1 GET NTLM", "1 GET NTLM", "2 GET", "2 GET NTLM", "2 GET NTLM"}
	if diff := cmp.Diff(want, seen(other, "Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule21LastMessage: a connection that becomes free in the middle of a conversation takes no part in it.
func TestRule21LastMessage(t *testing.T) {
	other := start(t, &server{})
	s := session("ada", "secret")
	defer s.Close()
	first, err := s.Get(t.Context(), other.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if said++; said == 2 { // nothing was said, now the first message is
			_, _ = first.Text()
		}
	}})
	if _, err := s.Get(ctx, other.URL("/")); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 GET", "1 GET NTLM", "1 GET NTLM", "2 GET", "2 GET NTLM", "2 GET NTLM"}
	if diff := cmp.Diff(want, seen(other, "Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRefused: what cannot be answered is the server's response, or an error that says why.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		body   any
		status int
		err    error
	}{
		"wrong password":                   {&server{users: map[string]string{"ada": "another"}, scheme: "NTLM"}, nil, 401, nil},
		"a connection that is closed":      {&server{close: true}, nil, 401, nil},
		"a challenge that is none":         {&server{mangle: "aGVsbG8="}, nil, 0, requests.ErrRequest},
		"a challenge that is cut":          {&server{mangle: "TlRMTVNTUAACAAAA"}, nil, 0, requests.ErrRequest},
		"another scheme":                   {&server{users: map[string]string{}, scheme: "Kerberos"}, nil, 401, nil},
		"a body that cannot be sent again": {&server{}, io.MultiReader(strings.NewReader("x")), 0, requests.ErrUnrewindableBody},
	} {
		t.Run(name, func(t *testing.T) {
			other := start(t, c.server)
			s := session("ada", "secret")
			defer s.Close()
			options := requests.JoinOptions()
			if c.body != nil {
				options = requests.Body(c.body)
			}
			r, err := s.Post(t.Context(), other.URL("/"), options)
			if !errors.Is(err, c.err) || err == nil && r.StatusCode != c.status {
				t.Errorf("got %v, %v", r, err)
			}
			if strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("%v shows the password", err)
			}
		})
	}
}

// TestNoChallenge: a server that takes the first message for enough has taken a request without
// its body, and gets it whole.
func TestNoChallenge(t *testing.T) {
	for name, c := range map[string]struct {
		body requests.Option
		want string
		sent int
	}{
		"text":   {requests.Body("payload"), "ada sent payload", 3},
		"reader": {requests.Body(strings.NewReader("payload")), "ada sent payload", 3},
		"none":   {requests.JoinOptions(), "ada sent ", 2},
	} {
		other := start(t, &server{trusts: true})
		s := session("ada", "secret")
		defer s.Close()
		r, err := s.Post(t.Context(), other.URL("/"), c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := r.Text()
		if diff := cmp.Diff([]any{c.want, c.sent, nil}, []any{got, len(other.Requests()), err}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestProxy: a proxy that forwards asks with 407.
func TestProxy(t *testing.T) {
	proxy := start(t, &server{proxy: true})
	s := session("ada", "secret")
	defer s.Close()
	s.Proxies = requests.Proxies{"http": proxy.URL("")}
	r, err := s.Get(t.Context(), "http://origin.test/")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := r.Text(); text != "ada sent " {
		t.Errorf("got %d %q", r.StatusCode, text)
	}
	if diff := cmp.Diff([]string{"1 GET", "1 GET NTLM", "1 GET NTLM"}, seen(proxy, "Proxy-Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTunnel: a proxy that asks with 407 to CONNECT has its three messages on the connection that
// becomes the tunnel; what it is told does not go to the origin.
func TestTunnel(t *testing.T) {
	users := map[string]string{"ada": "secret"}
	for name, c := range map[string]struct {
		proxy *server
		want  []string // what the proxy saw
		err   error
	}{
		"one connection":              {&server{}, []string{"1 CONNECT", "1 CONNECT NTLM", "1 CONNECT NTLM"}, nil},
		"Negotiate":                   {&server{scheme: "Negotiate"}, []string{"1 CONNECT", "1 CONNECT Negotiate", "1 CONNECT Negotiate"}, nil},
		"closed with the first 407":   {&server{eager: true}, []string{"1 CONNECT", "2 CONNECT NTLM", "2 CONNECT NTLM"}, nil},
		"closed with the challenge":   {&server{close: true}, []string{"1 CONNECT", "1 CONNECT NTLM"}, requests.ErrProxy},
		"wrong password":              {&server{users: map[string]string{"ada": "another"}, scheme: "NTLM"}, []string{"1 CONNECT", "1 CONNECT NTLM", "1 CONNECT NTLM"}, requests.ErrProxy},
		"a challenge that is not one": {&server{mangle: "aGVsbG8="}, []string{"1 CONNECT", "1 CONNECT NTLM"}, requests.ErrProxy},
		"another scheme":              {&server{users: users, scheme: "Kerberos"}, []string{"1 CONNECT"}, requests.ErrProxy},
	} {
		t.Run(name, func(t *testing.T) {
			origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Handler: func(*wiretest.Request) wiretest.Reply { return wiretest.Text(200, "ok") }})
			c.proxy.proxy = true
			if c.proxy.users == nil {
				c.proxy.users, c.proxy.domain, c.proxy.scheme = users, "CORP", max(c.proxy.scheme, "NTLM")
			}
			proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin), Handler: c.proxy.handle})
			s := requests.NewSession()
			defer s.Close()
			s.Mount("https://", ntlm.Adapter("ada", "secret"))
			s.Verify, s.Proxies = requests.CABundlePEM(wiretest.TestCA().PEM()), requests.Proxies{"https": proxy.URL("")}
			for range 2 { // the second request has the tunnel of the first
				r, err := s.Get(t.Context(), "https://example.com/")
				if !errors.Is(err, c.err) || err == nil && r.StatusCode != 200 {
					t.Errorf("got %v, %v", r, err)
				}
				if err != nil {
					break
				}
			}
			if diff := cmp.Diff(c.want, seen(proxy, "Proxy-Authorization")); diff != "" {
				t.Errorf("the proxy saw (-want +got)\n%s", diff)
			}
			for _, r := range origin.Requests() {
				if r.Get("Proxy-Authorization") != "" {
					t.Error("the origin was told what is for the proxy")
				}
			}
		})
	}
}

// TestRule21TunnelsBelongToOneUser: users of one proxy have tunnels of their own.
func TestRule21TunnelsBelongToOneUser(t *testing.T) {
	origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Handler: func(*wiretest.Request) wiretest.Reply { return wiretest.Text(200, "ok") }})
	asked := &server{users: map[string]string{"ada": "secret", "bob": "other"}, domain: "CORP", scheme: "NTLM", proxy: true}
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin), Handler: asked.handle})
	for user, password := range map[string]string{"ada": "secret", "bob": "other"} {
		s := requests.NewSession()
		defer s.Close()
		s.Mount("https://", ntlm.Adapter(user, password))
		s.Verify, s.Proxies = requests.CABundlePEM(wiretest.TestCA().PEM()), requests.Proxies{"https": proxy.URL("")}
		if _, err := s.Get(t.Context(), "https://example.com/"); err != nil {
			t.Error(err)
		}
	}
	var users []string
	asked.identity.Range(func(_, user any) bool {
		users = append(users, user.(string))
		return true
	})
	slices.Sort(users)
	if diff := cmp.Diff([]string{"ada", "bob"}, users); diff != "" {
		t.Errorf("users of the tunnels (-want +got)\n%s", diff)
	}
}

// TestRedirect: who is asked on the way of a redirect has no credentials of another mount's.
func TestRedirect(t *testing.T) {
	other := start(t, &server{})
	first := wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", other.URL("/")}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount(first.URL(""), ntlm.Adapter("ada", "secret"))
	r, err := s.Get(t.Context(), first.URL("/"))
	if err != nil || r.StatusCode != 401 {
		t.Errorf("got %v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"1 GET"}, seen(other, "Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestShown: a password is not shown.
func TestShown(t *testing.T) {
	a := ntlm.Adapter("ada", "hidden")
	if text := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Contains(text, "hidden") || !strings.Contains(text, "ada") {
		t.Errorf("it shows %s", text)
	}
}

// TestContract: it is an adapter.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return ntlm.Adapter("ada", "secret"), server.URL
	})
}

// FuzzChallenge: whatever a server sends, it is a response or an error (security rule 45).
func FuzzChallenge(f *testing.F) {
	f.Add("TlRMTVNTUAACAAAAAAAAADAAAAABAggACCByYW5kb20AAAAAAAAAABAAEAAwAAAA")
	f.Add("TlRMTVNTUAADAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
			return // not a token, and nothing is made of it
		}
		carrier := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			return requests.NewResponse(p, 401, requests.Headers{{"WWW-Authenticate", "NTLM " + token}}, nil), nil
		})
		p, err := (&requests.Request{URL: "http://h.test/"}).Prepare()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = ntlm.Over(t.Context(), carrier, p)
	})
}

func ExampleAdapter() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://intranet.example.com/", ntlm.Adapter(`CORP\ada`, "secret"))
	fmt.Println(ntlm.Adapter(`CORP\ada`, "secret"))
	// Output: <ntlm.Adapter [CORP\ada]>
}
