// Command oauth2 calls an API with a token that it gets by the client credentials grant, and gets a new
// one when the token has expired or was refused.
//
//	CLIENT_ID=… CLIENT_SECRET=… oauth2 https://login.example.com/token https://api.example.com/me
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/mountable/requests"
)

// token is the response of the token endpoint; a *Token of golang.org/x/oauth2 would do as well.
type token struct {
	Access  requests.Secret `json:"access_token"`
	Seconds int             `json:"expires_in"`
	fetched time.Time
}

func (t *token) Valid() bool {
	return t != nil && time.Since(t.fetched) < time.Duration(t.Seconds)*time.Second
}

func (t *token) SetAuthHeader(r *http.Request) {
	r.Header.Set("Authorization", "Bearer "+string(t.Access))
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: CLIENT_ID=… CLIENT_SECRET=… oauth2 TOKEN_URL API_URL")
	}
	ctx, login, s := context.Background(), requests.NewSession(), requests.NewSession()
	login.RaiseForStatus = true
	login.Auth = requests.BasicAuth(os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"))
	s.Auth = requests.RefreshAuth(requests.TokenFunc[*token](func() (*token, error) {
		r, err := login.Post(ctx, os.Args[1], requests.Form{{"grant_type", "client_credentials"}})
		if err != nil {
			return nil, err
		}
		t := &token{fetched: time.Now()}
		return t, r.JSON(t)
	}))
	me, err := requests.GetJSON[map[string]any](ctx, s, os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me)
}
