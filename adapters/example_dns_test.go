package adapters_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

func ExampleDNSCache() {
	asked := 0
	slow := &resolverFunc{func(network, host string) ([]netip.Addr, error) {
		asked++
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, nil
	}}
	cache := &adapters.DNSCache{Resolver: slow, TTL: time.Minute, Stale: time.Hour, Spread: true}
	for range 2 {
		fmt.Println(cache.LookupNetIP(context.Background(), "ip", "h.example"))
	}
	fmt.Println(asked)
	_ = requests.NewHTTPAdapter(requests.ResolveWith(cache))
	// Output:
	// [192.0.2.1 192.0.2.2] <nil>
	// [192.0.2.2 192.0.2.1] <nil>
	// 1
}

func ExampleAddress() {
	canary, err := adapters.Address("192.0.2.7:8443")
	if err != nil {
		fmt.Println(err)
		return
	}
	a := requests.NewHTTPAdapter(canary)
	p, err := (&requests.Request{URL: "https://api.example.com/"}).Prepare()
	if err != nil {
		fmt.Println(err)
		return
	}
	config, err := a.Plan(p, requests.SendOptions{})
	fmt.Println(config.Host, config.Address, err)
	// Output: api.example.com 192.0.2.7:8443 <nil>
}

func ExampleDNSOverHTTPS() {
	dns := requests.NewSession()
	defer dns.Close()
	dns.Mount("https://192.0.2.53/", adapters.Handler(http.HandlerFunc(nameServer)))
	resolver, err := adapters.DNSOverHTTPS(dns, "https://192.0.2.53/dns-query")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", requests.NewHTTPAdapter(requests.ResolveWith(&adapters.DNSCache{Resolver: resolver})))
	fmt.Println(resolver.LookupNetIP(context.Background(), "ip4", "h.example"))
	// Output: [192.0.2.1] <nil>
}

// nameServer has one address for every name.
func nameServer(w http.ResponseWriter, r *http.Request) {
	query, err := io.ReadAll(r.Body)
	var m dnsmessage.Message
	if err != nil || m.Unpack(query) != nil {
		http.Error(w, "no query", http.StatusBadRequest)
		return
	}
	m.Response = true
	m.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
		Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
	}}
	reply, err := m.Pack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/dns-message")
	_, _ = w.Write(reply)
}
