package requests_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/mountable/requests"
)

func ExampleCAPool() {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	r, err := requests.Get(context.Background(), server.URL, requests.CAPool(pool))
	fmt.Println(r, err)
	// Output: <Response [200]> <nil>
}
