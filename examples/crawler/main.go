// Command crawler follows the links of a site, page by page, and reports those that are broken. It limits
// the requests at a time and a second, never leaves the site, and stops after a number of pages.
//
//	crawler -pages 500 -rate 10 https://example.com/
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

const workers = 4

// crawler knows the pages of one site. It belongs to one goroutine: that which takes the results.
type crawler struct {
	site  *url.URL
	seen  map[string]bool
	queue []*requests.Request
	left  int
}

// href finds links well enough for an example; golang.org/x/net/html finds them all.
var href = regexp.MustCompile(`href="([^"#]+)`)

// add puts a page into the queue, if it is of the site and new.
func (c *crawler) add(page *url.URL) {
	address := page.String()
	if page.Scheme != c.site.Scheme || page.Host != c.site.Host || c.seen[address] || c.left == 0 {
		return
	}
	c.seen[address] = true
	c.left--
	c.queue = append(c.queue, &requests.Request{URL: address})
}

// read takes the links out of a page.
func (c *crawler) read(r *requests.Response) error {
	if !strings.HasPrefix(r.Headers.Get("Content-Type"), "text/html") {
		return nil
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	base, err := url.Parse(r.URL)
	if err != nil {
		return err
	}
	for _, match := range href.FindAllStringSubmatch(text, -1) {
		if link, err := base.Parse(match[1]); err == nil {
			c.add(link)
		}
	}
	return nil
}

// crawl gives the workers what is in the queue and takes what they bring, until nothing is left of either.
func (c *crawler) crawl(ctx context.Context, s *requests.Session) error {
	jobs := make(chan *requests.Request, workers)
	pool, err := toolbelt.FromChannel(jobs, toolbelt.SharedSession(s), toolbelt.Workers(workers))
	if err != nil {
		return err
	}
	running := 0
	feed := func() {
		for len(c.queue) > 0 && running < workers {
			jobs <- c.queue[0] // has room: no more than its size are running
			c.queue, running = c.queue[1:], running+1
		}
		if running == 0 {
			close(jobs)
		}
	}
	feed()
	for result := range pool.Results(ctx) {
		running--
		err := result.Err
		if err == nil {
			err = result.Response.RaiseForStatus()
		}
		if err == nil {
			err = c.read(result.Response)
		}
		if err != nil {
			fmt.Println("broken:", err)
		}
		feed()
	}
	return ctx.Err()
}

func main() {
	pages := flag.Int("pages", 100, "the maximum number of pages")
	rate := flag.Float64("rate", 5, "the maximum number of requests a second")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: crawler [-pages N] [-rate N] URL")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	n, err := walk(ctx, flag.Arg(0), *pages, *rate)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "pages")
}

func walk(ctx context.Context, start string, pages int, rate float64) (int, error) {
	site, err := url.Parse(start)
	if err != nil {
		return 0, err
	}
	limit, err := adapters.RateLimit(rate, workers)
	if err != nil {
		return 0, err
	}
	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("User-Agent", toolbelt.UserAgent("crawler", "1.0"))
	s.Timeouts.Total = 30 * time.Second
	s.Limits.MaxBody = 4 << 20
	s.Mount(site.Scheme+"://", adapters.Chain(requests.NewHTTPAdapter(requests.PoolMaxSize(workers), requests.MaxRetries(2)), limit))
	c := &crawler{site: site, seen: map[string]bool{}, left: pages}
	c.add(site)
	err = c.crawl(ctx, s)
	return len(c.seen), err
}
