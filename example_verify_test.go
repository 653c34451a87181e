package requests_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

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

func ExampleHSTS() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "hsts.txt")
	_ = os.WriteFile(file, []byte(".bank.example \"29991231 00:00:00\"\n"), 0o600)
	s := requests.NewSession()
	defer s.Close()
	s.HSTS = requests.NewHSTS()
	if err := s.HSTS.Load(file); err != nil {
		panic(err)
	}
	p, err := s.Prepare(&requests.Request{URL: "http://www.bank.example/login"})
	fmt.Println(p.URL, err)
	fmt.Println(s.HSTS.Save(file))
	// Output:
	// https://www.bank.example/login <nil>
	// <nil>
}

// Programs in other languages want to be told the file of authorities.
func ExampleDefaultCABundle() {
	cmd := exec.Command("curl", "https://a.example/")
	if bundle := requests.DefaultCABundle(); bundle != "" {
		cmd.Env = append(cmd.Environ(), "CURL_CA_BUNDLE="+bundle)
	}
	fmt.Println(cmd.Args)
	// Output: [curl https://a.example/]
}
