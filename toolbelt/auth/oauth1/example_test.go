package oauth1_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt/auth/oauth1"
)

func Example() {
	api := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), ",")
		fmt.Fprint(w, scheme)
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", api)
	auth, err := oauth1.New(oauth1.Config{ConsumerKey: "key", ConsumerSecret: "secret", Token: "token", TokenSecret: "token secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := s.Get(context.Background(), "https://api.example.com/photos", requests.Authenticate(auth))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: OAuth oauth_consumer_key="key" <nil>
}
