package httpsig_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt/auth/httpsig"
)

func Example() {
	api := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		covered, _, _ := strings.Cut(r.Header.Get("Signature-Input"), ";")
		fmt.Fprint(w, covered)
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", api)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := httpsig.New(httpsig.Config{Key: key, KeyID: "mine"})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := s.Post(context.Background(), "https://api.example.com/", requests.JSON("hello"), requests.Authenticate(auth))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: sig1=("@method" "@target-uri" "content-digest") <nil>
}
