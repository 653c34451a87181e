package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const fanout = 10 // pages that a page has below itself

// site is a site of pages that link each other. Who has not logged in sees none of them.
type site struct {
	pages   int
	session string
	http.Handler

	// mu protects the field below.
	mu     sync.Mutex
	visits map[string][]string // by path: who has asked for it, by User-Agent
}

func newSite(pages int) *site {
	s := &site{pages: pages, session: rand.Text(), visits: map[string][]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "User-agent: *\nDisallow: /private\n") })
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /page/{n}", s.page)
	mux.HandleFunc("GET /private", s.page)
	s.Handler = mux
	return s
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("user") != "ada" || r.FormValue("password") != "lovelace" {
		http.Error(w, "who is that?", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: s.session, Path: "/", HttpOnly: true})
}

func (s *site) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.visits[r.URL.Path] = append(s.visits[r.URL.Path], r.UserAgent())
	s.mu.Unlock()
	if c, err := r.Cookie("session"); err != nil || c.Value != s.session {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	n, err := strconv.Atoi("0" + r.PathValue("n"))
	if err != nil || n >= s.pages {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, s.text(n))
}

// text links a page with those below it, the next one, the first one, and what robots.txt forbids.
func (s *site) text(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html><title>Page %d</title><a href='/private'>private</a> <a href=%q>next</a>", n, s.path((n+1)%s.pages))
	for below := n*fanout + 1; below <= (n+1)*fanout && below < s.pages; below++ {
		fmt.Fprintf(&b, " <a href=%q>%d</a>", s.path(below)+"#top", below)
	}
	return b.String() + " <a href='/#top'>home</a>"
}

func (s *site) path(n int) string {
	if n == 0 {
		return "/"
	}
	return fmt.Sprint("/page/", n)
}

// print prints how many pages each process has asked for.
func (s *site) print(out io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := map[string]int{}
	for _, agents := range s.visits {
		for _, a := range agents {
			by[a]++
		}
	}
	for _, a := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(out, "%s: %d\n", a, by[a])
	}
}
