// Command pages lists a paginated collection by following the Link header from page to page.
//
//	pages https://api.github.com/users/golang/repos
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: pages URL")
	}
	s := requests.NewSession()
	for r, err := range requests.Pages(context.Background(), s, os.Args[1], requests.Params{{"per_page", "50"}}) {
		if err != nil {
			log.Fatal(err)
		}
		var items []struct{ Name string }
		if err := r.JSON(&items); err != nil {
			log.Fatal(err)
		}
		for _, item := range items {
			fmt.Println(item.Name)
		}
	}
}
