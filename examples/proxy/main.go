// Command proxy goes through a proxy with a password, to a server whose authority only the company knows.
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
