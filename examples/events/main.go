// Command events follows a stream of server-sent events; if the stream breaks, it reconnects and continues
// after the last event it has seen.
//
//	events https://stream.wikimedia.org/v2/stream/recentchange
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: events URL")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := requests.NewSession()
	for event, err := range requests.EventSource(ctx, s, os.Args[1]) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.ID, event.Type, event.Data)
	}
}
