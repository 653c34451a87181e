package examples

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAPIClient(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page := r.FormValue("page"); {
		case requests.Add(1) == 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case page == "":
			w.Header().Set("Link", `<?page=2>; rel="next"`)
			fmt.Fprintf(w, `[{"number": 3, "title": %q}]`, r.FormValue("state"))
		default:
			fmt.Fprint(w, `[{"number": 1, "title": "first"}]`)
		}
	}))
	defer server.Close()
	want := "#3 open\n#1 first\n"
	p := program{dir: t.TempDir()}
	p.prints(t, want, "apiclient", "-tape", "issues.json", server.URL)
	server.Close()
	p.prints(t, want, "apiclient", "-tape", "issues.json", server.URL)
	p.fails(t, "no connection", "apiclient", server.URL)
}

func TestCrawler(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, `<a href="/a"> <a href="b"> <a href="/missing"> <a href="http://127.0.0.1:1/elsewhere"> <a href="#here">`)
		case "/a", "/b":
			fmt.Fprint(w, `<a href="/"> <a href="/a"> <a href="/b">`)
		default:
			http.NotFound(w, r)
		}
	})
	out, err := program{}.run(t, "crawler", "-rate", "1000", url+"/")
	if err != nil || strings.Count(out, "broken: ") != 1 || !strings.Contains(out, url+"/missing") || !strings.HasSuffix(out, "\n4 pages\n") {
		t.Errorf("%q, %v", out, err)
	}
	program{}.prints(t, "2 pages\n", "crawler", "-rate", "1000", "-pages", "2", url+"/")
}

func TestDaemon(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "d.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("the daemon listens on a Unix socket, and this system has none: ", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1.47/containers/json", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `[{"Id": "c0ffee", "Image": "all=%s"}]`, r.FormValue("all"))
	})
	mux.HandleFunc("POST /v1.47/images/create", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"status": "Pulling"}`)
		if r.FormValue("fromImage") == "nothing" {
			fmt.Fprintln(w, `{"error": "not found"}`)
			return
		}
		fmt.Fprintln(w, `{"status": "Done"}`)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	program{}.prints(t, "c0ffee all=1\nPulling\nDone\n", "daemon", socket, "alpine")
	program{}.fails(t, "pull nothing: not found", "daemon", socket, "nothing")
}

func TestEvents(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		switch r.Header.Get("Last-Event-ID") {
		case "":
			fmt.Fprint(w, "retry: 1\nid: 1\ndata: one\n\n")
		case "1":
			fmt.Fprint(w, "id: 2\nevent: more\ndata: two\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	program{}.prints(t, "1 message one\n2 more two\n", "events", url)
}
