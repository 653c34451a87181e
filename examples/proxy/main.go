// Command proxy sends a request through a proxy that asks for a password, to a server whose
// certificate was issued by a private CA.
//
//	PROXY_PASSWORD=secret proxy http://proxy.corp:3128 company-ca.pem https://wiki.corp/
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: PROXY_PASSWORD=… proxy PROXY CA_FILE URL")
	}
	proxy, ca, url := os.Args[1], os.Args[2], os.Args[3]
	s := requests.NewSession()
	s.Proxies = requests.Proxies{"https": proxy, "http": proxy}
	s.Verify = requests.CABundle(ca)
	r, err := s.Get(context.Background(), url, requests.Authenticate(requests.ProxyBasicAuth("ada", os.Getenv("PROXY_PASSWORD"))))
	switch {
	case errors.Is(err, requests.ErrProxy):
		log.Fatal("the proxy: ", err)
	case errors.Is(err, requests.ErrSSL):
		log.Fatal("the certificate: ", err)
	case err != nil:
		log.Fatal(err)
	}
	decision, err := s.ExplainProxy(url)
	fmt.Println(r.StatusCode, decision, err)
}
