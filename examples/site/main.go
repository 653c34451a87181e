// Command site serves the web site that the tutorial works with, on a free port of this machine, and
// prints its URL. Log in as ada with the password lovelace.
//
//	site
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, handler()))
}

// handler returns a site where ada logs in with the password lovelace. It has reports in pages, takes
// more of them, and serves one as a file. The first download of a file breaks off.
func handler() http.Handler {
	private := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if cookie, err := r.Cookie("session"); err != nil || cookie.Value != "s3cret" {
				http.Error(w, "log in first", http.StatusForbidden)
				return
			}
			h(w, r)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("user") != "ada" || r.FormValue("password") != "lovelace" {
			http.Error(w, "wrong password", http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s3cret", Path: "/"})
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /welcome", private(func(w http.ResponseWriter, r *http.Request) {}))
	mux.HandleFunc("GET /account", private(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Ada's account") }))
	mux.HandleFunc("GET /reports", private(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("page") == "" {
			w.Header().Set("Link", `</reports?page=2>; rel="next"`)
		}
		fmt.Fprintf(w, `["report%s"]`, r.FormValue("page"))
	}))
	mux.HandleFunc("POST /reports", private(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil || r.ContentLength < 0 {
			http.Error(w, "no file, or of no length", http.StatusBadRequest)
			return
		}
		content, _ := io.ReadAll(file)
		w.Header().Set("Location", fmt.Sprintf("/reports/%s-%s-%d", r.FormValue("title"), header.Filename, len(content)))
		w.WriteHeader(http.StatusCreated)
	}))
	mux.HandleFunc("GET /reports/annual.pdf", private(cut(bytes.Repeat([]byte("annual "), 1000))))
	mux.HandleFunc("GET /image.iso", cut(bytes.Repeat([]byte("image "), 10_000)))
	return mux
}

// cut serves content, and breaks off the first response in the middle.
func cut(content []byte) http.HandlerFunc {
	var requests atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if requests.Add(1) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		if r.Header.Get("Range") == "" || r.Header.Get("If-Range") != `"v1"` {
			http.Error(w, "the rest was not asked for", http.StatusTeapot)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}
