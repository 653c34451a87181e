// Command events follows a stream of server-sent events, connects again where it breaks, and goes on
// behind the last event it has seen.
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
