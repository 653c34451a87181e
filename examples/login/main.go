// Command login logs in with a form, and then reads a page that requires the login.
//
//	LOGIN_PASSWORD=secret login https://example.com ada
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: LOGIN_PASSWORD=… login SITE USER")
	}
	ctx, site := context.Background(), os.Args[1]
	s := requests.NewSession() // keeps the cookie
	s.RaiseForStatus = true
	form := requests.Form{{"user", os.Args[2]}, {"password", os.Getenv("LOGIN_PASSWORD")}}
	if _, err := s.Post(ctx, site+"/login", form); err != nil {
		log.Fatal(err)
	}
	r, err := s.Get(ctx, site+"/account")
	if err != nil {
		log.Fatal(err)
	}
	text, err := r.Text()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
}
