package requests_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

const crowdedness = 10 // requests of each goroutine

// crowd is how many goroutines there are. The race detector makes each of them some ten times slower.
func crowd() int {
	if raceDetector {
		return 50
	}
	return 200
}

// riot answers as the path says: well, or in one of the ways in which servers break.
func riot(w http.ResponseWriter, r *http.Request) {
	_, kind, _ := strings.Cut(r.URL.Path, "/")
	kind, who, _ := strings.Cut(kind, "/")
	switch kind {
	case "gzip", "cut":
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, who)
		if kind == "cut" {
			z.Flush()
			panic(http.ErrAbortHandler)
		}
	case "abort":
		panic(http.ErrAbortHandler)
	case "half":
		w.Header().Set("Content-Length", "1000000")
		fmt.Fprint(w, who)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "stall":
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case "reset", "garble":
		breakConnection(w, kind)
	case "moved":
		http.Redirect(w, r, "/ok/"+who, http.StatusTemporaryRedirect)
	case "early":
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	default:
		http.SetCookie(w, &http.Cookie{Name: "n", Value: who})
		fmt.Fprint(w, who)
	}
}

// breakConnection does to an HTTP/1.1 connection what no handler could.
func breakConnection(w http.ResponseWriter, how string) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok && how == "reset" {
		_ = tcp.SetLinger(0)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\x00\xff")
}

// TestCrowd: 2,000 requests of every kind, 200 at a time, against servers that break in every way, with
// cancellations, limits and Session.Close in between: whatever is answered is the answer to its own
// question, what had to be answered was, and in the end nothing is in use and nothing is left.
func TestCrowd(t *testing.T) {
	wiretest.NoLeak(t)
	t.Setenv("TMPDIR", t.TempDir())
	site := newSite(t)
	site.answering(riot)
	var sessions []*requests.Session
	var lanes []lane
	for _, l := range []lane{
		{site, "direct", "http", false, "Session"}, {site, "direct", "https", false, "http.Client"}, {site, "direct", "https", true, "Session"}, {site, "direct", "http", true, "toolbelt"},
		{site, "http proxy", "http", false, "Session"}, {site, "http proxy", "https", true, "http.Client"}, {site, "https proxy", "https", false, "Session"}, {site, "SOCKS5", "https", true, "Session"},
	} {
		s := l.session(t, requests.PoolMaxSize(8), requests.PoolBlock(len(lanes)%2 == 0))
		s.Timeouts = requests.Timeouts{Total: 5 * time.Minute}
		sessions, lanes = append(sessions, s), append(lanes, l)
	}
	var wg sync.WaitGroup
	for id := range crowd() {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(id)))
			for n := range crowdedness {
				i := random.IntN(len(lanes))
				oneOfTheCrowd(t, lanes[i], sessions[i], random, fmt.Sprintf("%d-%d", id, n))
			}
		})
	}
	wg.Wait()
	for i, s := range sessions {
		for _, prefix := range []string{"http://", "https://"} {
			adapter, err := s.Adapter(prefix)
			if err != nil {
				t.Fatal(err)
			}
			// A connection that was being opened for a request that was canceled ends a moment later.
			inUse := func() int { return adapter.(*requests.HTTPAdapter).Stats().InUse }
			for end := time.Now().Add(ample); inUse() > 0 && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
			if n := inUse(); n != 0 {
				t.Errorf("%v: %d connections of %s are in use", lanes[i], n, prefix)
			}
		}
		s.Close()
	}
	if files, err := os.ReadDir(os.TempDir()); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// oneOfTheCrowd sends one request and checks what comes.
func oneOfTheCrowd(t *testing.T, l lane, s *requests.Session, random *rand.Rand, who string) {
	kinds := []string{"ok", "ok", "ok", "gzip", "gzip", "moved", "cut", "abort", "half", "stall", "reset", "garble", "early"}
	kind := kinds[random.IntN(len(kinds))]
	good := kind == "ok" || kind == "gzip" || kind == "moved"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if kind == "stall" || random.IntN(5) == 0 {
		good = false
		time.AfterFunc(time.Duration(random.IntN(20))*time.Millisecond, cancel)
	}
	if random.IntN(50) == 0 {
		s.Close()
	}
	method, body := "GET", any(nil)
	if random.IntN(3) == 0 {
		method, body = "PUT", strings.Repeat("b", random.IntN(100_000))
	}
	url := l.at("example.com", "/"+kind+"/"+who)
	if good && method == "GET" && random.IntN(4) == 0 {
		l.download(t, s, url, who)
		return
	}
	text, err := l.send(ctx, s, method, url, nil, body)
	for again := 0; good && l.givenUp(err) && again < 3; again++ {
		text, err = l.send(ctx, s, method, url, nil, body)
	}
	switch {
	case err != nil && strings.Contains(err.Error(), "pool closed while waiting"): // Session.Close came first
	case good && (err != nil || text != who):
		t.Errorf("%v, %s %s: %q, %v", l, method, url, text, err)
	case !good && err == nil && text != who && text != "":
		t.Errorf("%v, %s %s: %q", l, method, url, text)
	case (kind == "cut" || kind == "half") && err == nil && text != "":
		t.Errorf("%v, %s %s: half was taken for the whole: %q", l, method, url, text)
	}
}

// givenUp reports whether the server may not have come to a connection in time: net/http's ends one over HTTP/2 whose
// SETTINGS it has not read within two seconds.
func (l lane) givenUp(err error) bool { return l.h2 && errors.Is(err, requests.ErrConnection) }

// download saves the answer to a file.
func (l lane) download(t *testing.T, s *requests.Session, url, who string) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	path, err := toolbelt.Download(t.Context(), s, url, dir+"/f", toolbelt.Decoded())
	for again := 0; l.givenUp(err) && again < 3; again++ {
		path, err = toolbelt.Download(t.Context(), s, url, dir+"/f", toolbelt.Decoded())
	}
	if err != nil && strings.Contains(err.Error(), "pool closed while waiting") {
		return
	}
	if err != nil {
		t.Errorf("Download %s: %v", url, err)
		return
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != who {
		t.Errorf("Download %s: %q, %v", url, data, err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("Download left %v", files)
	}
}
