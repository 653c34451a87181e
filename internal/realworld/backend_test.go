//go:build realworld

package realworld

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// bulkSize is that of a large upload or download.
const bulkSize = 20 << 20

// bulkContent is bulkSize bytes without a pattern, the same ones each time.
var bulkContent = sync.OnceValue(func() []byte {
	content := make([]byte, bulkSize)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	return content
})

// backend answers behind nginx with what reached it:
//
//	/slow     takes a second
//	/drip     sends a line now and then
//	/trickle  sends a byte now and then
//	/bulk     sends bulkContent
//	/to?url=  redirects
//	/who      tells what nginx knows of the connection
func backend(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/", reached)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		pause(r, time.Second)
		reached(w, r)
	})
	mux.HandleFunc("/drip", inPieces(20*time.Millisecond, "line 0\n", "line 1\n", "line 2\n"))
	mux.HandleFunc("/trickle", inPieces(50*time.Millisecond, strings.Split("tricklingdown", "")...))
	mux.HandleFunc("/bulk", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(bulkSize))
		_, _ = w.Write(bulkContent())
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("url"), http.StatusFound)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// reached tells what came.
func reached(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %d %x", r.Method, n, sum.Sum(nil))
	if r.URL.Path == "/who" {
		fmt.Fprint(w, " ", r.Header.Get("X-Protocol"))
	}
	if proxied := r.Header.Get("Proxy-Authorization"); proxied != "" {
		fmt.Fprint(w, " LEAKED ", proxied)
	}
}

// summary is what reached says of a body.
func summary(method string, body []byte) string {
	return fmt.Sprintf("%s %d %x", method, len(body), sha256.Sum256(body))
}

func inPieces(wait time.Duration, pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for _, piece := range pieces {
			fmt.Fprint(w, piece)
			w.(http.Flusher).Flush()
			pause(r, wait)
		}
	}
}

// pause waits, unless the client goes away.
func pause(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
