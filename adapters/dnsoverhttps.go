package adapters

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	neturl "net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
)

// DNSOverHTTPS returns a [requests.Resolver] that asks a server over HTTPS (RFC 8484) by way
// of a session, with its adapters, proxies, TLS and time limits:
//
//	dns := requests.NewSession()
//	resolver, err := adapters.DNSOverHTTPS(dns, "https://dns.example/dns-query")
//	s.Mount("https://", requests.NewHTTPAdapter(requests.ResolveWith(&adapters.DNSCache{Resolver: resolver})))
//
// The session needs adapters of its own: what it sends is not to be looked up with the
// resolver. Its server can be named by an address, or with [requests.ResolveTo]. Below a
// [DNSCache] an answer counts as long as it says. A name that does not exist is a
// [*net.DNSError] with IsNotFound. Nobody is asked for an address, for "localhost" and what is below
// it, which are the loopback addresses, and for "", "invalid" and "onion", which are not found.
//
// A nil session, and a URL that is not https or has no host, are [requests.ErrInvalidArgument].
func DNSOverHTTPS(s *requests.Session, url string) (requests.Resolver, error) {
	if s == nil {
		return nil, invalid("DNSOverHTTPS: the session is nil")
	}
	if u, err := neturl.Parse(url); err != nil || !strings.EqualFold(u.Scheme, "https") || u.Hostname() == "" {
		return nil, invalid("DNSOverHTTPS: the URL is not one of https, with a host")
	}
	return &overHTTPS{s, url}, nil
}

type overHTTPS struct {
	session *requests.Session
	url     string
}

// LookupNetIP implements [requests.Resolver].
func (d *overHTTPS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	addrs, _, err := d.lookup(ctx, network, host)
	return addrs, err
}

// lookup asks for the addresses of both families, or of one.
func (d *overHTTPS) lookup(ctx context.Context, network, host string) ([]netip.Addr, time.Duration, error) {
	if addrs, own := ownAddrs(network, host); len(addrs) > 0 {
		return addrs, maxTTL, nil
	} else if own {
		return nil, 0, noSuchHost(host)
	}
	types := []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
	switch network {
	case "ip4":
		types = types[1:]
	case "ip6":
		types = types[:1]
	}
	var all []netip.Addr
	var failed error
	least := maxTTL
	for _, kind := range types {
		addrs, ttl, err := d.query(ctx, host, kind)
		if all = append(all, addrs...); err != nil {
			failed = err
		}
		if len(addrs) > 0 {
			least = min(least, ttl)
		}
	}
	switch {
	case len(all) > 0:
		return all, least, nil
	case failed != nil:
		return nil, 0, failed
	}
	return nil, 0, noSuchHost(host)
}

func noSuchHost(host string) error {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// ownAddrs returns what is known of a host without asking, and own for one that no server is to be
// asked for: an address, no name at all, this machine and what cannot exist (RFC 6761 section 6), and
// the hidden services of Tor (RFC 7686).
func ownAddrs(network, host string) (addrs []netip.Addr, own bool) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	if literal, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{literal}
	} else if last == "localhost" {
		addrs = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	own = len(addrs) > 0 || name == "" || last == "invalid" || last == "onion"
	return slices.DeleteFunc(addrs, func(a netip.Addr) bool {
		return network == "ip4" && !a.Unmap().Is4() || network == "ip6" && a.Unmap().Is4()
	}), own
}

const (
	maxTTL     = 24 * time.Hour // an answer for longer is asked for again anyway
	maxMessage = 64 << 10       // of DNS
	maxAliases = 16             // from name to name in one answer
)

// query asks one question.
func (d *overHTTPS) query(ctx context.Context, host string, kind dnsmessage.Type) ([]netip.Addr, time.Duration, error) {
	name, err := dnsmessage.NewName(strings.ToLower(strings.TrimSuffix(host, ".")) + ".")
	if err != nil {
		return nil, 0, &net.DNSError{Err: err.Error(), Name: host, IsNotFound: true}
	}
	question := dnsmessage.Question{Name: name, Type: kind, Class: dnsmessage.ClassINET}
	message := dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true}, Questions: []dnsmessage.Question{question}}
	packed, err := message.Pack() // the ID is 0, for caches (RFC 8484 section 4.1)
	if err != nil {
		return nil, 0, &net.DNSError{Err: err.Error(), Name: host, IsNotFound: true}
	}
	r, err := d.session.Post(ctx, d.url, requests.Body(packed), requests.Limits{MaxBody: maxMessage}, requests.Stream(false),
		requests.Headers{{"Content-Type", "application/dns-message"}, {"Accept", "application/dns-message"}})
	if err != nil {
		return nil, 0, err
	}
	content, err := r.Content()
	switch {
	case err != nil:
		return nil, 0, err
	case r.StatusCode != 200 || !strings.HasPrefix(r.Headers.Get("Content-Type"), "application/dns-message"):
		return nil, 0, &net.DNSError{Err: "the server of DNS over HTTPS gave no answer: " + secret.Clean(r.Reason), Name: host, IsTemporary: true}
	}
	return readAnswer(content, question, host)
}

// readAnswer reads the addresses of the question's name and of what it is an alias of.
func readAnswer(content []byte, question dnsmessage.Question, host string) ([]netip.Addr, time.Duration, error) {
	var m dnsmessage.Message
	if err := m.Unpack(content); err != nil {
		return nil, 0, &net.DNSError{Err: "the answer cannot be read", Name: host, IsTemporary: true}
	}
	switch {
	case m.RCode == dnsmessage.RCodeNameError:
		return nil, 0, noSuchHost(host)
	case m.RCode != dnsmessage.RCodeSuccess || !m.Response || len(m.Questions) != 1 || !sameQuestion(m.Questions[0], question):
		return nil, 0, &net.DNSError{Err: "the server did not answer the question", Name: host, IsTemporary: true}
	}
	names, least := aliases(m.Answers, question.Name)
	var addrs []netip.Addr
	for _, record := range m.Answers {
		address, ok := addressOf(record.Body)
		if ok && record.Header.Type == question.Type && slices.ContainsFunc(names, func(n []byte) bool { return bytes.EqualFold(n, text(record.Header.Name)) }) {
			addrs = append(addrs, address)
			least = min(least, lifetime(&record))
		}
	}
	return addrs, least, nil
}

func sameQuestion(a, b dnsmessage.Question) bool {
	return a.Type == b.Type && a.Class == b.Class && bytes.EqualFold(text(a.Name), text(b.Name))
}

func text(n dnsmessage.Name) []byte { return n.Data[:n.Length] }

func lifetime(r *dnsmessage.Resource) time.Duration { return time.Duration(r.Header.TTL) * time.Second }

// aliases are the names that an answer leads to, from the one that was asked for, and how long
// all of them hold.
func aliases(records []dnsmessage.Resource, name dnsmessage.Name) (names [][]byte, least time.Duration) {
	names, least = [][]byte{text(name)}, maxTTL
	for range maxAliases {
		i := slices.IndexFunc(records, func(r dnsmessage.Resource) bool {
			_, ok := r.Body.(*dnsmessage.CNAMEResource)
			return ok && bytes.EqualFold(text(r.Header.Name), names[len(names)-1])
		})
		if i < 0 {
			break
		}
		names = append(names, text(records[i].Body.(*dnsmessage.CNAMEResource).CNAME))
		least = min(least, lifetime(&records[i]))
	}
	return names, least
}

func addressOf(body dnsmessage.ResourceBody) (netip.Addr, bool) {
	switch b := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A), true
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA), true
	}
	return netip.Addr{}, false
}
