// Command getjson reads a JSON API into a struct.
//
//	getjson https://api.github.com/repos/golang/go
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/mountable/requests"
)

type repository struct {
	Name  string `json:"full_name"`
	Stars int    `json:"stargazers_count"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: getjson URL")
	}
	s := requests.NewSession()
	s.Headers.Set("Accept", "application/json")
	repo, err := requests.GetJSON[repository](context.Background(), s, os.Args[1], requests.Timeout(10*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s has %d stars\n", repo.Name, repo.Stars)
}
