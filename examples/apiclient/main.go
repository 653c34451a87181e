// Command apiclient lists the issues of a repository from an API like GitHub's, over a session that
// retries, follows pages, and can record the exchange and play it back without a network.
//
//	apiclient https://api.github.com/repos/golang/go/issues            asks the server
//	apiclient -tape issues.json https://api.github.com/repos/…/issues  records once, then plays back
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Issue has the fields of an issue that this program prints.
type Issue struct {
	Number int
	Title  string
}

// Client talks to one server.
type Client struct{ session *requests.Session }

// New returns a client; a tape records what the server says, or has it already. Close the client.
func New(tape string) (*Client, error) {
	s := requests.NewSession()
	s.RaiseForStatus = true
	s.Headers.Set("Accept", "application/vnd.github+json")
	s.Timeouts = requests.Timeouts{Connect: 5 * time.Second, Read: 20 * time.Second, Total: time.Minute}
	var adapter requests.Adapter = requests.NewHTTPAdapter(requests.Retries(requests.Retry{
		Total: 4, BackoffFactor: 100 * time.Millisecond, StatusForcelist: []int{429, 502, 503, 504},
	}))
	if tape != "" {
		recorder, err := adapters.Cassette(tape, adapters.RecordOnce)
		if err != nil {
			return nil, err
		}
		adapter = recorder(adapter)
	}
	s.Mount("https://", adapter)
	s.Mount("http://", adapter)
	return &Client{s}, nil
}

// Close closes the client's connections.
func (c *Client) Close() error { return c.session.Close() }

// Issues gives one issue after the other, and asks for a page when it is needed.
func (c *Client) Issues(ctx context.Context, url string) iter.Seq2[Issue, error] {
	return func(yield func(Issue, error) bool) {
		for r, err := range requests.Pages(ctx, c.session, url, requests.Params{{"state", "open"}}) {
			var page []Issue
			if err == nil {
				err = r.JSON(&page)
			}
			if err != nil {
				yield(Issue{}, err)
				return
			}
			for _, issue := range page {
				if !yield(issue, nil) {
					return
				}
			}
		}
	}
}

func main() {
	tape := flag.String("tape", "", "a cassette to record to, or to play")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: apiclient [-tape FILE] URL")
	}
	if err := list(context.Background(), *tape, flag.Arg(0)); err != nil {
		log.Fatal(err)
	}
}

func list(ctx context.Context, tape, url string) error {
	c, err := New(tape)
	if err != nil {
		return err
	}
	defer c.Close()
	for issue, err := range c.Issues(ctx, url) {
		if err != nil {
			return err
		}
		fmt.Printf("#%d %s\n", issue.Number, issue.Title)
	}
	return nil
}
