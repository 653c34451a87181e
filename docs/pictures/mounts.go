package main

import (
	"context"
	"errors"
	"slices"

	"github.com/mountable/requests"
)

// mounted are the prefixes of the picture, as a program might mount them, and what their adapters do.
var mounted = []struct{ prefix, adapter string }{
	{"https://", "a new session's adapter"},
	{"http://", "a new session's adapter"},
	{"https://api.test/", "one that tries again"},
	{"https://api.test/v2/", "one with a cache"},
	{"http://metrics.test", "one over a unix socket"},
}

// looked are URLs that the session is asked about, and what they show.
var looked = []struct{ url, why string }{
	{"https://api.test/v2/users", "the longest prefix wins"},
	{"http://metrics.test:9090/", "a prefix without a port: any port"},
	{"https://API.test/login", "letter case does not matter"},
	{"https://api.test.evil/v2/", "a host is named whole"},
	{"http://example.com/", "nothing but the scheme fits"},
	{"ftp://example.com/", "nothing fits"},
}

// carrier is an adapter that knows nothing but the prefix that it is mounted on.
type carrier string

func (carrier) Send(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
	return nil, errors.ErrUnsupported
}

func (carrier) Close() error { return nil }

// The measures of the picture: its two columns, and the rows of both.
const (
	urlLeft, urlWidth       = 16, 260
	prefixLeft, prefixWidth = 392, 232
	mountTop, mountRow      = 44, 62
	mountHeight             = 46
)

// drawMounts draws which of the mounted prefixes carries each URL, as a Session says.
func drawMounts(string) (*picture, error) {
	p := &picture{title: "Which adapter carries a URL", width: 640, height: mountTop + mountRow*len(looked),
		about: "A session tries its mounted prefixes from the longest to the shortest. The first that a URL begins with names the adapter."}
	s := &requests.Session{}
	for _, m := range mounted {
		s.Mount(m.prefix, carrier(m.prefix))
	}
	p.text(urlLeft, 28, "start", "strong", "a URL")
	p.text(prefixLeft, 28, "start", "strong", "mounted, as they are tried")
	prefixes := s.Prefixes()
	for i, prefix := range prefixes {
		p.prefix(mountTop+mountRow*i, prefix)
	}
	for i, l := range looked {
		adapter, err := s.Adapter(l.url)
		if err != nil && !errors.Is(err, requests.ErrInvalidSchema) {
			return nil, err
		}
		to := slices.IndexFunc(prefixes, func(prefix string) bool { return adapter == requests.Adapter(carrier(prefix)) })
		p.looked(mountTop+mountRow*i, l.url, l.why, to)
	}
	return p, nil
}

// prefix draws a mounted prefix with its adapter.
func (p *picture) prefix(y int, prefix string) {
	p.box(prefixLeft, y, prefixWidth, mountHeight, "box")
	p.text(prefixLeft+12, y+19, "start", "code", prefix)
	for _, m := range mounted {
		if m.prefix == prefix {
			p.text(prefixLeft+12, y+37, "start", "small faint", m.adapter)
		}
	}
}

// looked draws a URL, and the way to the prefix of that number, if there is one.
func (p *picture) looked(y int, url, why string, to int) {
	class := "box"
	if to < 0 {
		class = "bad"
	}
	p.box(urlLeft, y, urlWidth, mountHeight, class)
	p.text(urlLeft+12, y+19, "start", "code", url)
	p.text(urlLeft+12, y+37, "start", "small faint", why)
	if to < 0 {
		p.text(urlLeft+urlWidth+12, y+mountHeight/2+4, "start", "code small bad", "ErrInvalidSchema")
		return
	}
	p.across(urlLeft+urlWidth, y+mountHeight/2, prefixLeft, mountTop+mountRow*to+mountHeight/2)
}

// across draws an arrow from left to right.
func (p *picture) across(x1, y1, x2, y2 int) {
	middle := (x1 + x2) / 2
	p.arrow("lead", "M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2-1, y2)
}
