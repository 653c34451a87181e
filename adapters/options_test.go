package adapters_test

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// byValue compares connections by ==, as the pool does.
var byValue = cmp.Comparer(func(a, b requests.ConnConfig) bool { return a == b })

const digest = "05:C0:B3:64:36:94:47:0A:88:8C:6E:7F:EB:5C:9E:24:E8:23:DC:53"

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// plan is the connection that options make for a request.
func plan(t *testing.T, p *requests.PreparedRequest, opts requests.SendOptions, options ...requests.AdapterOption) requests.ConnConfig {
	t.Helper()
	return must[requests.ConnConfig](t)(requests.NewHTTPAdapter(options...).Plan(p, opts))
}

func get(url string, headers ...[2]string) *requests.PreparedRequest {
	return &requests.PreparedRequest{Method: "GET", URL: url, Headers: headers}
}

// edit is one option with what it is to do to a connection.
type edit struct {
	name   string
	option requests.AdapterOption
	effect func(c *requests.ConnConfig)
	tls    bool // only for https
}

func edits(t *testing.T) []edit {
	option := must[requests.AdapterOption](t)
	raw, _ := hex.DecodeString(strings.ReplaceAll(digest, ":", ""))
	cert, key := wiretest.PEM(wiretest.TestCA().Client("ada"))
	return []edit{
		{"Fingerprint", option(adapters.Fingerprint(digest)), func(c *requests.ConnConfig) { c.TLS.Fingerprint = string(raw) }, true},
		{"SSLVersion", option(adapters.SSLVersion(0, tls.VersionTLS12)), func(c *requests.ConnConfig) {
			c.TLS.MinVersion, c.TLS.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		}, true},
		{"HostHeaderSSL", adapters.HostHeaderSSL(), func(c *requests.ConnConfig) { c.TLS.ServerName, c.TLS.VerifyName = "name.test", "name.test" }, true},
		{"X509", option(adapters.X509(cert, key, "")), func(c *requests.ConnConfig) { c.TLS.Cert = requests.CertPEM(cert, key) }, true},
		{"SourceAddress", option(adapters.ParseSourceAddress("127.0.0.9:4000")), func(c *requests.ConnConfig) { c.LocalAddr = netip.MustParseAddrPort("127.0.0.9:4000") }, false},
		{"SocketOptions", adapters.SocketOptions(requests.SocketOption{Level: 1, Name: 8, Bytes: []byte{1}}), func(c *requests.ConnConfig) {
			c.Options = requests.NewSocketOptionList(requests.SocketOption{Level: 1, Name: 8, Bytes: []byte{1}})
		}, false},
	}
}

// TestPlan compares the connection that each option, and each pair, makes with what it is to be, direct and through
// proxies. What is meant for TLS leaves connections without it alone.
func TestPlan(t *testing.T) {
	all := edits(t)
	for _, first := range all {
		for _, second := range all {
			for _, url := range []string{"https://10.0.0.1/", "http://10.0.0.1/"} {
				for _, proxy := range []string{"", "http://p.test:1", "https://p.test:1", "socks5h://p.test:1"} {
					opts := requests.SendOptions{Proxies: requests.Proxies{"all": proxy}}
					p := get(url, [2]string{"Host", "Name.test:8443"})
					want := plan(t, p, opts)
					for _, e := range []edit{first, second} {
						if !e.tls || want.Scheme == "https" {
							e.effect(&want)
						}
					}
					got := plan(t, p, opts, first.option, second.option)
					if diff := cmp.Diff(want, got, byValue); diff != "" {
						t.Errorf("%s and %s, %s through %q (-want +got)\n%s", first.name, second.name, url, proxy, diff)
					}
				}
			}
		}
	}
}

func TestHostHeaderNames(t *testing.T) {
	for host, want := range map[string]string{
		"example.org": "example.org", "Example.ORG:8443": "example.org", "a:": "a", "": "", ":80": "", " h.test ": "h.test",
		"[2001:DB8::1]:443": "2001:db8::1", "[::1]": "::1", "10.0.0.1:1": "10.0.0.1", "my_host": "my_host",
	} {
		got := plan(t, get("https://10.0.0.1/", [2]string{"hOST", host}), requests.SendOptions{}, adapters.HostHeaderSSL()).TLS
		if diff := cmp.Diff([2]string{want, want}, [2]string{got.ServerName, got.VerifyName}); diff != "" {
			t.Errorf("%q (-want +got)\n%s", host, diff)
		}
	}
	for _, host := range []string{"a b", "a/b", "a:b", "[::1", "[::1]x", "[a]", "é.test", "u@h", "::1", "[10.0.0.1]"} {
		_, err := requests.NewHTTPAdapter(adapters.HostHeaderSSL()).Plan(get("https://10.0.0.1/", [2]string{"Host", host}), requests.SendOptions{})
		if !errors.Is(err, requests.ErrInvalidHeader) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestSourceText holds the recorded cases' forms and more.
func TestSourceText(t *testing.T) {
	for text, want := range map[string]string{
		"": "invalid AddrPort", "10.10.10.10": "10.10.10.10:0", "10.10.10.10:80": "10.10.10.10:80", "::1": "[::1]:0", "[::1]": "[::1]:0",
		"[::1]:4000": "[::1]:4000", "fe80::1%lo": "[fe80::1%lo]:0",
	} {
		option := must[requests.AdapterOption](t)(adapters.ParseSourceAddress(text))
		if diff := cmp.Diff(want, plan(t, get("http://h.test/"), requests.SendOptions{}, option).LocalAddr.String()); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
}

// TestWrongArguments gives every constructor what it cannot take; the error names the argument.
func TestWrongArguments(t *testing.T) {
	ca := wiretest.TestCA()
	cert, key := wiretest.PEM(ca.Client("ada"))
	otherCert, _ := wiretest.PEM(ca.Client("eve"))
	expired, expiredKey := wiretest.PEM(ca.Issue(wiretest.Leaf{Name: "old", Client: true, Expires: time.Now().Add(-time.Hour)}))
	early, earlyKey := wiretest.PEM(ca.Issue(wiretest.Leaf{Name: "young", Client: true, Expires: time.Now().Add(100 * time.Hour)}))
	for _, c := range []struct {
		name string
		make func() (requests.AdapterOption, error)
		kind requests.Kind
		says string
	}{
		{"short digest", func() (requests.AdapterOption, error) { return adapters.Fingerprint("aa:bb") }, requests.ErrInvalidArgument, "2 bytes"},
		{"no digest", func() (requests.AdapterOption, error) { return adapters.Fingerprint("") }, requests.ErrInvalidArgument, "fingerprint"},
		{"SHA-512", func() (requests.AdapterOption, error) { return adapters.Fingerprint(strings.Repeat("ab", 64)) }, requests.ErrInvalidArgument, "64 bytes"},
		{"no hex", func() (requests.AdapterOption, error) { return adapters.Fingerprint(strings.Repeat("z", 40)) }, requests.ErrInvalidArgument, "hexadecimal"},
		{"blank", func() (requests.AdapterOption, error) { return adapters.Fingerprint(" " + digest) }, requests.ErrInvalidArgument, "hexadecimal"},
		{"SSL 3", func() (requests.AdapterOption, error) { return adapters.SSLVersion(0x0300, 0) }, requests.ErrInvalidArgument, "lowest is SSL 3.0"},
		{"SSL 2", func() (requests.AdapterOption, error) { return adapters.SSLVersion(0, 2) }, requests.ErrInvalidArgument, "highest is SSL 2.0"},
		{"no version", func() (requests.AdapterOption, error) { return adapters.SSLVersion(0, 0x0399) }, requests.ErrInvalidArgument, "highest is 0x0399"},
		{"crossed", func() (requests.AdapterOption, error) {
			return adapters.SSLVersion(tls.VersionTLS13, tls.VersionTLS12)
		}, requests.ErrInvalidArgument, "above"},
		{"no address", func() (requests.AdapterOption, error) { return adapters.ParseSourceAddress("a.test") }, requests.ErrInvalidArgument, `source address "a.test"`},
		{"bad port", func() (requests.AdapterOption, error) { return adapters.ParseSourceAddress("10.0.0.1:70000") }, requests.ErrInvalidArgument, "address:port"},
		{"no interface", func() (requests.AdapterOption, error) { return adapters.SourceInterface("nosuch0") }, requests.ErrInvalidArgument, "nosuch0"},
		{"no certificate", func() (requests.AdapterOption, error) { return adapters.X509(nil, key, "") }, requests.ErrInvalidArgument, "cert is empty"},
		{"no PEM", func() (requests.AdapterOption, error) { return adapters.X509([]byte("x"), key, "") }, requests.ErrFile, "certificate"},
		{"other key", func() (requests.AdapterOption, error) { return adapters.X509(otherCert, key, "") }, requests.ErrFile, "key"},
		{"key missing", func() (requests.AdapterOption, error) { return adapters.X509(cert, nil, "") }, requests.ErrFile, "key"},
		{"expired", func() (requests.AdapterOption, error) { return adapters.X509(expired, expiredKey, "") }, requests.ErrFile, "expired on 2"},
		{"not yet", func() (requests.AdapterOption, error) { return adapters.X509(early, earlyKey, "") }, requests.ErrFile, "not valid before 2"},
	} {
		option, err := c.make()
		if option != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.kind, c.says)
		}
	}
}

// TestX509Forms reads one certificate in every form it may come in.
func TestX509Forms(t *testing.T) {
	leaf := wiretest.TestCA().Client("ada")
	cert, key := wiretest.PEM(leaf)
	block, _ := pem.Decode(key)
	chain := append(append([]byte{}, cert...), wiretest.TestCA().PEM()...)
	for name, c := range map[string][2][]byte{
		"PEM": {cert, key}, "DER": {leaf.Certificate[0], block.Bytes}, "both in one": {append(append([]byte{}, cert...), key...), nil}, "chain": {chain, key},
	} {
		if _, err := adapters.X509(c[0], c[1], ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
