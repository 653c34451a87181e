package cookie

import "github.com/mountable/requests/internal/uri"

// sites is the cookies that servers may push out, by whose they are: somebody who has a
// domain has all the hosts below it, and must not have more room for it. Cookies put in by
// hand are in none.
type sites struct {
	named  map[string]*site
	ranked []ranking // by how many cookies a site has
	most   int       // no ranking above it has a site
	size   int       // cookies in all
}

// site is the cookies of a registrable domain and of all below it.
type site struct {
	name           string
	loose, guarded list // the latter are not pushed out as long as there are others
	size           int
	previous, next *site // of those that have as many
}

// ranking is the sites with the same number of cookies, as they came to have it.
type ranking struct{ first, last *site }

// of returns the site of a domain.
func (s *sites) of(d *domainSet) *site {
	if d.site == "" {
		d.site = uri.Site(d.name)
	}
	at := s.named[d.site]
	if at == nil {
		if s.named == nil {
			s.named = map[string]*site{}
		}
		at = &site{name: d.site}
		s.named[d.site] = at
	}
	return at
}

func (s *sites) add(e *entry) {
	if e.byHand {
		return
	}
	at := s.of(e.domain)
	at.with(e).push(e, inSite)
	s.rank(at, 1)
}

// drop takes a cookie out of its site, and forgets one that has no more.
func (s *sites) drop(e *entry) {
	at := s.of(e.domain)
	at.with(e).drop(e, inSite)
	if s.rank(at, -1); at.size == 0 {
		delete(s.named, at.name)
	}
}

// with returns the list that a cookie is on.
func (at *site) with(e *entry) *list {
	if e.guarded() {
		return &at.guarded
	}
	return &at.loose
}

// oldest returns the cookie to be pushed out first. There must be one.
func (at *site) oldest() *entry {
	if at.loose.first != nil {
		return at.loose.first
	}
	return at.guarded.first
}

// rank moves a site that has n cookies more, 1 or -1.
func (s *sites) rank(at *site, n int) {
	if at.size > 0 {
		s.ranked[at.size].drop(at)
	}
	at.size += n
	s.size += n
	if at.size == 0 {
		return
	}
	for len(s.ranked) <= at.size {
		s.ranked = append(s.ranked, ranking{})
	}
	s.ranked[at.size].push(at)
	s.most = max(s.most, at.size)
}

// largest returns the site with the most cookies. There must be one.
func (s *sites) largest() *site {
	for s.ranked[s.most].first == nil {
		s.most--
	}
	return s.ranked[s.most].first
}

func (r *ranking) push(at *site) {
	at.previous, at.next = r.last, nil
	if r.last == nil {
		r.first = at
	} else {
		r.last.next = at
	}
	r.last = at
}

func (r *ranking) drop(at *site) {
	if at.previous == nil {
		r.first = at.next
	} else {
		at.previous.next = at.next
	}
	if at.next == nil {
		r.last = at.previous
	} else {
		at.next.previous = at.previous
	}
	at.previous, at.next = nil, nil
}
