package requests

import (
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/uri"
)

// Link is one link of a Link header (RFC 8288): its target as the server wrote it,
// which may be relative, under "url", and its parameters, names in lower case. The
// value of an extended parameter, "title*", is decoded and stands under "title" too.
type Link map[string]string

// Links returns the links of the Link header, each under every one of its relation
// types in lower case, else under its target. Of two links with one key the last
// counts. See [Response.Link] for a URL that can be requested.
func (r *Response) Links() map[string]Link {
	links := map[string]Link{}
	if r.opts.policy.linksAsRequests() {
		for _, l := range fieldvalue.ParseLinks(r.Headers.Get("Link")) {
			links[l.Key()] = linkOf(l)
		}
		return links
	}
	for _, l := range r.webLinks() {
		link := webLink(l)
		for _, rel := range l.Rel {
			links[strings.ToLower(rel)] = link
		}
		if len(l.Rel) == 0 {
			links[l.Target] = link
		}
	}
	return links
}

// Link returns the URL that the link with this relation type leads to, resolved against
// URL, as a browser would follow it. ok is false without such a link, or if its target is
// not a URL. Types are compared without case. A link about another resource, which its
// "anchor" names, does not count.
//
// The URL may be one of another server; a session's credentials go where it is sent.
func (r *Response) Link(rel string) (url string, ok bool) {
	if r.opts.policy.linksAsRequests() {
		link, ok := r.Links()[rel]
		if !ok {
			return "", false
		}
		return r.resolve(link["url"])
	}
	isRel := func(s string) bool { return strings.EqualFold(s, rel) }
	for _, l := range slices.Backward(r.webLinks()) {
		if slices.ContainsFunc(l.Rel, isRel) && r.isAbout(l) {
			return r.resolve(l.Target)
		}
	}
	return "", false
}

func (p *Policy) linksAsRequests() bool { return p != nil && p.LinksAsRequests }

// webLinks reads each field by itself: a malformed one does not take the others along.
func (r *Response) webLinks() []fieldvalue.WebLink {
	var links []fieldvalue.WebLink
	for _, value := range r.Headers.Values("Link") {
		links = append(links, fieldvalue.WebLinks(value)...)
	}
	return links
}

func linkOf(params [][2]string) Link {
	link := Link{}
	for _, kv := range params {
		link[kv[0]] = kv[1]
	}
	return link
}

// webLink has the first of several parameters with one name (RFC 8288 section 3.4), and
// an extended one in place of its plain form.
func webLink(l fieldvalue.WebLink) Link {
	link := Link{}
	for _, kv := range slices.Backward(l.Params) {
		link[kv[0]] = kv[1]
	}
	for _, kv := range slices.Backward(l.Params) {
		if plain, extended := strings.CutSuffix(kv[0], "*"); extended {
			link[plain] = kv[1]
		}
	}
	link["url"] = l.Target
	if l.Rel != nil {
		link["rel"] = strings.Join(l.Rel, " ")
	}
	return link
}

// isAbout reports whether r is what the link comes from.
func (r *Response) isAbout(l fieldvalue.WebLink) bool {
	i := slices.IndexFunc(l.Params, func(kv [2]string) bool { return kv[0] == "anchor" })
	if i < 0 {
		return true
	}
	anchor, ok := r.resolve(l.Params[i][1])
	return ok && withoutFragment(anchor) == withoutFragment(r.URL)
}

// resolve makes a URL of a reference.
func (r *Response) resolve(target string) (url string, ok bool) {
	url, err := uri.ResolveRedirect(withoutFragment(r.URL), target, "")
	return url, err == nil && url != ""
}

func withoutFragment(url string) string {
	url, _, _ = strings.Cut(url, "#")
	return url
}
