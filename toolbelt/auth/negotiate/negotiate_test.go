package negotiate_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt/auth/negotiate"
)

// origin is a server that wants a ticket with each request, and counts those without.
func origin(t *testing.T, k *kdc) (address string, without *atomic.Int32) {
	t.Helper()
	without = new(atomic.Int32)
	service := k.keytab(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := r.Header.Get("Authorization")
		if value == "" {
			without.Add(1)
			w.Header().Set("WWW-Authenticate", "Negotiate")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		user, err := verify(service, value)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s sent %s", user, body)
	}))
	t.Cleanup(server.Close)
	u, _ := url.Parse(server.URL)
	return "http://localhost:" + u.Port() + "/", without
}

// verify checks a ticket with the key of the service, and returns whose it is.
func verify(service *keytab.Keytab, value string) (string, error) {
	token, err := read(service, value)
	if err != nil {
		return "", err
	}
	return token.APReq.Ticket.DecryptedEncPart.CName.PrincipalNameString(), nil
}

// read reads and checks a ticket.
func read(service *keytab.Keytab, value string) (*spnego.KRB5Token, error) {
	message, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value, "Negotiate "))
	if err != nil {
		return nil, err
	}
	var token spnego.SPNEGOToken
	inner := new(spnego.KRB5Token)
	if err := token.Unmarshal(message); err != nil {
		return nil, err
	}
	if err := inner.Unmarshal(token.NegTokenInit.MechTokenBytes); err != nil {
		return nil, err
	}
	_, err = inner.APReq.Verify(service, time.Minute, types.HostAddress{}, nil)
	return inner, err
}

// TestKerberos is against MIT's KDC: a ticket is sent when it is asked for, with the body, and at once
// from then on; without the KDC there is an error that names it.
func TestKerberos(t *testing.T) {
	k := startKDC(t)
	address, without := origin(t, k)
	s := requests.NewSession()
	defer s.Close()
	cl := k.client(t)
	s.Mount("http://", negotiate.Adapter(cl))
	for range 3 {
		r, err := s.Post(t.Context(), address, requests.Body("body"))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := r.Text(); text != "ada sent body" {
			t.Errorf("got %d %q", r.StatusCode, text)
		}
	}
	if diff := cmp.Diff(int32(1), without.Load()); diff != "" {
		t.Errorf("requests without a ticket (-want +got)\n%s", diff)
	}
	s.Mount("http://", negotiate.New(negotiate.Config{Client: cl, Service: func(string) string { return "HTTP/nobody" }}))
	if _, err := s.Get(t.Context(), address); !errors.Is(err, requests.ErrRequest) || !strings.Contains(fmt.Sprint(err), "HTTP/nobody") {
		t.Errorf("got %v", err)
	}
}

// TestKerberosProxy: a proxy that asks for a ticket, in front of plain http and of a tunnel.
func TestKerberosProxy(t *testing.T) {
	k := startKDC(t)
	target := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(target), Handler: func(r *wiretest.Request) wiretest.Reply {
		switch {
		case !strings.HasPrefix(r.Get("Proxy-Authorization"), "Negotiate YI"):
			return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", "Negotiate"})
		case r.Method == "CONNECT":
			return wiretest.Send("HTTP/1.1 200 OK\r\n\r\n")
		}
		return wiretest.Text(200, "forwarded")
	}})
	s := requests.NewSession()
	defer s.Close()
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	for _, address := range []string{"http://origin.test/", "https://example.com/"} {
		scheme, _, _ := strings.Cut(address, ":")
		s.Mount(scheme+"://", negotiate.Adapter(k.client(t)))
		s.Proxies = requests.Proxies{scheme: "http://" + proxy.Host("localhost")}
		r, err := s.Get(t.Context(), address)
		if err != nil || r.StatusCode != 200 {
			t.Errorf("%s: %v, %v", address, r, err)
		}
	}
}

// prover is a server that proves who it is, or does not.
func prover(t *testing.T, k *kdc, answer func(token *spnego.KRB5Token) string) string {
	t.Helper()
	service := k.keytab(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := r.Header.Get("Authorization")
		if value == "" {
			w.Header().Set("WWW-Authenticate", "Negotiate")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token, err := read(service, value)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("WWW-Authenticate", answer(token))
		fmt.Fprint(w, "secret plans")
	}))
	t.Cleanup(server.Close)
	u, _ := url.Parse(server.URL)
	return "http://localhost:" + u.Port() + "/"
}

// proofOf is what a server sends back: the time of the request in the key of the ticket.
func proofOf(t *testing.T, token *spnego.KRB5Token, key types.EncryptionKey, later int) []byte {
	t.Helper()
	req := token.APReq
	plain, err := asn1.Marshal(messages.EncAPRepPart{CTime: req.Authenticator.CTime, Cusec: req.Authenticator.Cusec + later})
	if err != nil {
		t.Error(err)
	}
	sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(plain, asnAppTag.EncAPRepPart), key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		t.Error(err)
	}
	reply, err := asn1.Marshal(messages.APRep{PVNO: 5, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	if err != nil {
		t.Error(err)
	}
	oid, _ := asn1.Marshal(gssapi.OIDKRB5.OID())
	return asn1tools.AddASNAppTag(append(append(oid, 2, 0), asn1tools.AddASNAppTag(reply, asnAppTag.APREP)...), 0)
}

// TestRule43MutualAuthentication: a forged proof is refused always, and one that is missing if the
// caller wants it.
func TestRule43MutualAuthentication(t *testing.T) {
	k := startKDC(t)
	key := func(token *spnego.KRB5Token) types.EncryptionKey { return token.APReq.Ticket.DecryptedEncPart.Key }
	wrong := func(token *spnego.KRB5Token) types.EncryptionKey {
		other := key(token)
		other.KeyValue = bytes.Repeat([]byte{1}, len(other.KeyValue))
		return other
	}
	outer := func(inner []byte) string {
		resp := spnego.NegTokenResp{NegState: asn1.Enumerated(spnego.NegStateAcceptCompleted), SupportedMech: gssapi.OIDKRB5.OID(), ResponseToken: inner}
		token := spnego.SPNEGOToken{Resp: true, NegTokenResp: resp}
		data, err := token.Marshal()
		if err != nil {
			t.Error(err)
		}
		return "Negotiate " + base64.StdEncoding.EncodeToString(data)
	}
	for name, c := range map[string]struct {
		answer       func(token *spnego.KRB5Token) string
		given, asked string // the error without Mutual, and with it; "" for none
	}{
		"right": {func(token *spnego.KRB5Token) string { return outer(proofOf(t, token, key(token), 0)) }, "", ""},
		"right, and bare": {func(token *spnego.KRB5Token) string {
			return "Negotiate " + base64.StdEncoding.EncodeToString(proofOf(t, token, key(token), 0))
		}, "", ""},
		"none":            {func(*spnego.KRB5Token) string { return "Basic realm=x" }, "", "has not proved that it is HTTP/localhost"},
		"another key":     {func(token *spnego.KRB5Token) string { return outer(proofOf(t, token, wrong(token), 0)) }, "not in the key of the ticket", "not in the key of the ticket"},
		"another request": {func(token *spnego.KRB5Token) string { return outer(proofOf(t, token, key(token), 1)) }, "the answer to another request", "the answer to another request"},
		"not base64":      {func(*spnego.KRB5Token) string { return "Negotiate a" }, "malformed", "malformed"},
		"cut short":       {func(token *spnego.KRB5Token) string { return outer(proofOf(t, token, key(token), 0)[:40]) }, "malformed", "malformed"},
		"the ticket itself": {func(token *spnego.KRB5Token) string {
			data, _ := token.Marshal()
			return outer(data)
		}, "malformed", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			address := prover(t, k, c.answer)
			for mutual, want := range map[bool]string{false: c.given, true: c.asked} {
				s := requests.NewSession()
				defer s.Close()
				s.Mount("http://", negotiate.New(negotiate.Config{Client: k.client(t), Mutual: mutual}))
				for range 2 { // challenged, and with a ticket from the start
					_, err := s.Get(t.Context(), address)
					if got := fmt.Sprint(err); (err != nil) != (want != "") || want != "" && !(strings.Contains(got, want) && errors.Is(err, requests.ErrRequest)) {
						t.Errorf("Mutual %v: got %v, want %q", mutual, err, want)
					}
				}
			}
		})
	}
}

// away is a client whose KDC does not answer.
func away(t *testing.T) *client.Client {
	t.Helper()
	settings, err := config.NewFromString("[libdefaults]\n default_realm = GONE.TEST\n udp_preference_limit = 1\n[realms]\n GONE.TEST = {\n  kdc = " + wiretest.Closed(t) + "\n }\n")
	if err != nil {
		t.Fatal(err)
	}
	return client.NewWithPassword("ada", "GONE.TEST", "hidden", settings, client.DisablePAFXFAST(true))
}

// TestRefused: what cannot be answered is an error that says why, or the server's response.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		client *client.Client
		ask    string
		want   error
		says   string
	}{
		"no client":        {nil, "Negotiate", requests.ErrInvalidArgument, "expected a Kerberos client"},
		"the KDC is away":  {away(t), "Negotiate", requests.ErrRequest, "no ticket for HTTP/127.0.0.1 from the KDC of GONE.TEST"},
		"another scheme":   {away(t), "Basic realm=x", nil, ""},
		"nobody has asked": {away(t), "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t, wiretest.Text(401, "", [2]string{"WWW-Authenticate", c.ask}))
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", negotiate.Adapter(c.client))
			r, err := s.Get(t.Context(), server.URL("/"))
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) || err == nil && r.StatusCode != 401 {
				t.Errorf("got %v, %v", r, err)
			}
			if strings.Contains(fmt.Sprint(err), "hidden") {
				t.Errorf("%v shows the password", err)
			}
		})
	}
}

// TestRedirect: who is asked on the way of a redirect has no ticket of another mount's.
func TestRedirect(t *testing.T) {
	other := wiretest.Origin(t, wiretest.Text(401, "", [2]string{"WWW-Authenticate", "Negotiate"}))
	first := wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", other.URL("/")}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount(first.URL(""), negotiate.Adapter(away(t)))
	if r, err := s.Get(t.Context(), first.URL("/")); err != nil || r.StatusCode != 401 {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestContract: it is an adapter.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return negotiate.Adapter(nil), server.URL
	})
}

func ExampleAdapter() {
	settings, err := config.NewFromString("[libdefaults]\n default_realm = EXAMPLE.COM\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	cl := client.NewWithPassword("ada", "EXAMPLE.COM", "secret", settings)
	defer cl.Destroy()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://intranet.example.com/", negotiate.Adapter(cl))
	fmt.Println(negotiate.Adapter(cl))
	// Output: <negotiate.Adapter>
}
