// Command postjson creates a resource on a server, and prints why the server refused it if it did.
//
//	postjson https://api.example.com/orders coffee 2
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
)

type order struct {
	ID    int    `json:"id,omitempty"`
	Item  string `json:"item"`
	Count string `json:"count"`
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: postjson URL ITEM COUNT")
	}
	s := requests.NewSession()
	wanted := order{Item: os.Args[2], Count: os.Args[3]}
	placed, err := requests.PostJSON[order](context.Background(), s, os.Args[1], wanted)
	if problem, ok := errors.AsType[*requests.Problem](err); ok { // RFC 9457
		log.Fatalf("refused: %s: %s", problem.Title, problem.Detail)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("order", placed.ID)
}
