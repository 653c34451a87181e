package roots_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/roots"
)

// A server whose authority Mozilla does not know is refused, whatever the system or
// the environment trusts.
func ExampleBundle() {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()

	s := requests.NewSession()
	defer s.Close()
	s.Verify = roots.Bundle()
	_, err := s.Get(context.Background(), server.URL)
	fmt.Println(errors.Is(err, requests.ErrSSL))
	// Output: true
}

// A program can say how old the roots are that it brings along.
func ExampleDate() {
	age := time.Since(roots.Date())
	fmt.Println(roots.Version() != "", age > 0)
	// Output: true true
}
