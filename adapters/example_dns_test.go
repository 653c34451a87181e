package adapters_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

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
	resolver, err := adapters.DNSOverHTTPS(dns, "https://192.0.2.53/dns-query")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	s.Mount("https://", requests.NewHTTPAdapter(requests.ResolveWith(&adapters.DNSCache{Resolver: resolver})))
}
