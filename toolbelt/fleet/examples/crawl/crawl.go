package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"time"

	"golang.org/x/net/html"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt/fleet"
)

// remembered is for how long a page that is linked again is not fetched again: longer than a crawl.
const remembered = 24 * time.Hour

// tally is what was found.
type tally struct {
	pages, disallowed, failed int
	took                      time.Duration
}

func (t tally) print(out io.Writer) {
	fmt.Fprintf(out, "%d pages in %.1f s (%.1f/s), %d not allowed by robots.txt, %d failed\n",
		t.pages, t.took.Seconds(), float64(t.pages)/t.took.Seconds(), t.disallowed, t.failed)
}

// crawl fetches all that can be reached from the first page of a site. The directory of the fleet
// goes with it: a crawl that shall go on after a crash keeps it, and its key.
func crawl(ctx context.Context, o settings, site string, out io.Writer) (found tally, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	dir, err := os.MkdirTemp("", "crawl-")
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	key := make([]byte, 32)
	rand.Read(key)
	f, err := fleet.Open(ctx, fleet.Embedded(dir), fleet.SealWith(key), fleet.Duplicates(remembered))
	if err != nil {
		return found, err
	}
	defer f.Close()
	if err := login(ctx, f, site); err != nil {
		return found, err
	}
	c := newCrew(o.processes, stop)
	defer c.end()
	if err := c.start(ctx, orders{Dir: dir, URL: f.URL(), Key: key, Rate: o.rate}); err != nil {
		return found, err
	}
	fmt.Fprintf(out, "crawling %s with %d processes\n", site, o.processes)
	begun := time.Now()
	err = found.follow(ctx, f, site+"/")
	found.took = time.Since(begun)
	return found, err
}

// login logs in for all: the cookie that the site sets is in the jars of the others.
func login(ctx context.Context, f *fleet.Fleet, site string) error {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false // the site is on loopback: no proxy
	s.RaiseForStatus = true
	cookies, err := f.ShareCookies(ctx, s)
	if err != nil {
		return err
	}
	defer cookies.Close()
	_, err = s.Post(ctx, site+"/login", requests.Form{{"user", "ada"}, {"password", "lovelace"}})
	return err
}

// follow enqueues the first page, and what the results link. As nobody else enqueues, there is
// nothing more to come when no job is left and every result was looked at: UntilEmpty.
func (t *tally) follow(ctx context.Context, f *fleet.Fleet, first string) error {
	if _, err := f.Enqueue(ctx, jobs(first)); err != nil {
		return err
	}
	for r, err := range f.Results(ctx, fleet.UntilEmpty) {
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		if !t.count(r) {
			continue
		}
		body, err := f.Body(ctx, r)
		if err != nil {
			return err
		}
		if _, err := f.Enqueue(ctx, jobs(links(r.URL, body)...)); err != nil {
			return err
		}
	}
	return nil
}

// count counts a result and reports whether it is a page.
func (t *tally) count(r *fleet.Result) bool {
	switch {
	case errors.Is(r.Err, fleet.ErrDisallowed):
		t.disallowed++
	case r.Err != nil || r.StatusCode != 200:
		t.failed++
	default:
		t.pages++
		return true
	}
	return false
}

func jobs(urls ...string) func(yield func(*requests.Request) bool) {
	return func(yield func(*requests.Request) bool) {
		for _, u := range urls {
			if !yield(&requests.Request{URL: u}) {
				return
			}
		}
	}
}

// links are the URLs on the same host that a page links, each once and without its fragment.
func links(page string, body []byte) (found []string) {
	base, err := url.Parse(page)
	if err != nil {
		return nil
	}
	for z := html.NewTokenizer(bytes.NewReader(body)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken || token.Data != "a" {
			continue
		}
		for _, a := range token.Attr {
			u, err := base.Parse(a.Val)
			if a.Key != "href" || err != nil || u.Scheme != base.Scheme || u.Host != base.Host {
				continue
			}
			u.Fragment, u.RawFragment = "", ""
			found = append(found, u.String())
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
