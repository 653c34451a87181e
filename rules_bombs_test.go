package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// bombSite serves a bomb at "/", as a redirect, as a challenge and as an error, over
// HTTP/1.1 and, for those who know that, HTTP/2.
func bombSite(t *testing.T, coding string, b *bombStream) *httptest.Server {
	send := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Encoding", coding)
		w.WriteHeader(status)
		_, _ = b.WriteTo(w)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { send(w, 200) })
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { send(w, 503) })
	mux.HandleFunc("/parts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "multipart/mixed; boundary=b")
		send(w, 200)
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/ok")
		send(w, 302)
	})
	for path, c := range map[string]struct {
		status     int
		ask, reply string
	}{"/challenge": {401, "WWW-Authenticate", "Authorization"}, "/proxied": {407, "Proxy-Authenticate", "Proxy-Authorization"}} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(c.reply) != "" {
				io.WriteString(w, "ok")
				return
			}
			w.Header().Set(c.ask, digestChallenge)
			send(w, c.status)
		})
	}
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// A meeting is a way to come upon the body of a response. want is the error that there must
// be: what is thrown away is not an error, and lines may be too long first.
type meeting struct {
	path string
	want error
	read func(r *requests.Response, dir string) error
}

var meetings = map[string]meeting{
	"Content": {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { _, err := r.Content(); return err }},
	"Text":    {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { _, err := r.Text(); return err }},
	"JSON":    {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { return r.JSON(new(any)) }},
	"Read": {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error {
		_, err := io.Copy(io.Discard, onlyRead{r})
		return err
	}},
	"WriteTo": {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { _, err := io.Copy(io.Discard, r); return err }},
	"Chunks":  {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { return endOf(r.Chunks(64 << 10)) }},
	"Chunks of any size": {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error {
		return endOf(r.Chunks(-1))
	}},
	"Lines":     {"/", errAny, func(r *requests.Response, _ string) error { return endOf(r.Lines()) }},
	"TextLines": {"/", errAny, func(r *requests.Response, _ string) error { return endOf(r.TextLines()) }},
	"Split":     {"/", errAny, func(r *requests.Response, _ string) error { return endOf(r.Split("--end--")) }},
	"Close":     {"/", nil, func(r *requests.Response, _ string) error { return r.Close() }},
	"Close later": {"/", nil, func(r *requests.Response, _ string) error {
		_, _ = r.Read(make([]byte, 10))
		return r.Close()
	}},
	"to a file": {"/", requests.ErrContentDecoding, func(r *requests.Response, dir string) error {
		_, err := toolbelt.StreamResponseToFile(r, filepath.Join(dir, "bomb"))
		return err
	}},
	"to a writer": {"/", requests.ErrContentDecoding, func(r *requests.Response, _ string) error {
		_, err := toolbelt.StreamResponseToWriter(r, io.Discard)
		return err
	}},
	"parts":   {"/parts", errAny, func(r *requests.Response, _ string) error { return endOf(toolbelt.Parts(r)) }},
	"decoder": {"/parts", requests.ErrContentDecoding, func(r *requests.Response, _ string) error { _, err := toolbelt.DecodeResponse(r, "utf-8"); return err }},
	"drained by an answer": {"/", nil, func(r *requests.Response, _ string) error {
		_, err := r.Auth().Answer(context.Background(), func(p *requests.PreparedRequest) error { p.URL += "ok"; return nil })
		return err
	}},
}

// errAny stands for an error whose Kind is another test's.
var errAny = errors.New("an error")

// endOf is the one that a loop ends with.
func endOf[T any](seq func(func(T, error) bool)) (last error) {
	for _, last = range seq {
	}
	return last
}

type onlyRead struct{ io.Reader }

// calls are the ways to come upon one in a call.
var bombCalls = map[string]func(s *requests.Session, at, dir string) (want, err error){
	"Get": func(s *requests.Session, at, _ string) (want, err error) {
		return requests.ErrContentDecoding, getOK(s, at+"/")
	},
	"redirect": func(s *requests.Session, at, _ string) (want, err error) { return nil, getOK(s, at+"/redirect") },
	"challenge": func(s *requests.Session, at, _ string) (want, err error) {
		return nil, getOK(s, at+"/challenge", requests.Authenticate(requests.DigestAuth("u", "p")))
	},
	"guess": func(s *requests.Session, at, _ string) (want, err error) {
		return nil, getOK(s, at+"/challenge", requests.Authenticate(toolbelt.GuessAuth("u", "p")))
	},
	"a proxy's challenge": func(s *requests.Session, at, _ string) (want, err error) {
		return nil, getOK(s, "http://example.com/proxied", requests.Proxies{"http": at}, requests.Authenticate(toolbelt.HTTPProxyDigestAuth("u", "p")))
	},
	"retries": func(s *requests.Session, at, _ string) (want, err error) {
		return requests.ErrRetry, getOK(s, at+"/busy")
	},
	"Download": func(s *requests.Session, at, dir string) (want, err error) {
		_, err = toolbelt.Download(context.Background(), s, at+"/", filepath.Join(dir, "bomb"), toolbelt.Decoded())
		return requests.ErrContentDecoding, err
	},
	"http.Client": func(s *requests.Session, at, _ string) (want, err error) {
		resp, err := (&http.Client{Transport: s.RoundTripper()}).Get(at + "/")
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return requests.ErrContentDecoding, err
	},
}

// getOK sends a request; a response that is not good is an error.
func getOK(s *requests.Session, url string, options ...requests.Option) error {
	r, err := s.Get(context.Background(), url, options...)
	if err != nil {
		return err
	}
	return r.RaiseForStatus()
}

// bombSession sends over HTTP/1.1 or HTTP/2, and retries what is busy.
func bombSession(t *testing.T, h2 bool) *requests.Session {
	s := newSession(t)
	options := []requests.AdapterOption{requests.Retries(requests.Retry{Total: requests.RetryTimes(2), StatusForcelist: []int{503}})}
	if h2 {
		options = append(options, requests.HTTP2PriorKnowledge())
	}
	s.Mount("http://", requests.NewHTTPAdapter(options...))
	return s
}

// TestRule27TenGigabytes: ten gigabytes of zeros stay where they are, in every coding and
// chain, over both protocols, however they are met.
func TestRule27TenGigabytes(t *testing.T) {
	for coding, b := range bombs() {
		if raceDetector && coding != "gzip" {
			continue // it makes decoding slow
		}
		server := bombSite(t, coding, b)
		for _, h2 := range []bool{false, true} {
			met := func(name string) string { return fmt.Sprintf("%s, HTTP/2 %v, %s", coding, h2, name) }
			everyWay := !h2 && (coding == "gzip" || coding == "br, br, br, br, br")
			s := bombSession(t, h2)
			for name, m := range meetings {
				if everyWay || strings.Contains("Content WriteTo Close", name) {
					flat(t, met(name), func() error { return m.meet(t, s, server.URL) })
				}
			}
			for name, call := range bombCalls {
				if h2 && name == "a proxy's challenge" {
					continue // a forwarding proxy is spoken to in HTTP/1.1
				}
				if everyWay || strings.Contains("redirect challenge Download http.Client", name) {
					flat(t, met(name), func() error { return wants(call(s, server.URL, t.TempDir())) })
				}
			}
			s.Close()
		}
		server.Close()
	}
}

func (m meeting) meet(t *testing.T, s *requests.Session, at string) error {
	r, err := s.Get(t.Context(), at+m.path, requests.Stream(true))
	if err != nil {
		return err
	}
	defer r.Close()
	return wants(m.want, m.read(r, t.TempDir()))
}

// wants returns an error if err is not the one there has to be.
func wants(want, err error) error {
	if errors.Is(err, want) || want == errAny && err != nil {
		return nil
	}
	return fmt.Errorf("%v, want %v", err, want)
}

// TestRule27Unlimited: where nothing bounds decoding, what is streamed is not kept, either.
// BOMB_MIB=10240 decodes ten gigabytes of each.
func TestRule27Unlimited(t *testing.T) {
	size := int64(64 << 20)
	if text := os.Getenv("BOMB_MIB"); text != "" {
		if _, err := fmt.Sscan(text, &size); err != nil {
			t.Fatal(err)
		}
		size <<= 20
	}
	for coding, b := range bombs() {
		if coding == "br, br, br, br, br" {
			continue // their windows alone are 80 MiB, which is why they are bounded by default
		}
		server := bombSite(t, coding, b.of(size))
		for _, h2 := range []bool{false, true} {
			s := bombSession(t, h2)
			s.Policy.UnlimitedDecoding = true
			flat(t, fmt.Sprintf("%s, HTTP/2 %v", coding, h2), func() error {
				r, err := s.Get(t.Context(), server.URL, requests.Stream(true))
				if err != nil {
					return err
				}
				defer r.Close()
				if n, err := io.Copy(io.Discard, r); err != nil || n < size {
					return fmt.Errorf("%d bytes of %d, %w", n, size, err)
				}
				return nil
			})
		}
		server.Close()
	}
}

// flat runs f and fails the test if the process grows by more than flatBound.
func flat(t *testing.T, name string, f func() error) {
	t.Helper()
	done := make(chan struct{})
	most := make(chan int64)
	debug.FreeOSMemory()
	before, start := processMemory(), time.Now()
	go func() {
		var peak int64
		for {
			peak = max(peak, processMemory())
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	if err := f(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	close(done)
	grown := <-most - before
	if grown > flatBound {
		t.Errorf("%s: %d MiB more", name, grown>>20)
	}
	if os.Getenv("BOMB_MIB") != "" {
		t.Logf("%s: %d MiB more, %v", name, grown>>20, time.Since(start).Round(time.Millisecond))
	}
}

// flatBound is what a body that decodes without end may cost, the test's own server included:
// what comes before the ratio is looked at, the windows of the codings, and garbage.
const flatBound = 64 << 20

// processMemory is the memory that the system says the process has, where it says so in
// a file and the race detector does not keep books of its own in it. Elsewhere it is
// what the heap has from the system.
func processMemory() int64 {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil && !raceDetector {
		var size, resident int64
		if _, err := fmt.Sscan(string(statm), &size, &resident); err == nil {
			return resident * int64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// TestRule28Public: six codings are too many, however they are listed.
func TestRule28Public(t *testing.T) {
	for _, list := range [][]string{
		{"gzip, gzip, gzip, gzip, gzip, gzip"}, {"gzip", "gzip", "gzip", "gzip", "gzip", "gzip"}, {"gzip, gzip, gzip", "gzip,gzip,gzip"},
		{"gzip,identity,identity,identity,identity,identity"}, {strings.Repeat("br,", 1000) + "br"}, {"GZIP,x-gzip,Deflate,BR,zstd,gzip"},
	} {
		var fields string
		for _, l := range list {
			fields += "Content-Encoding: " + l + "\r\n"
		}
		server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\n"+fields+"Content-Length: 4\r\n\r\nbody"))
		s := newSession(t)
		if _, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, requests.ErrContentDecoding) {
			t.Errorf("%q: %v", list, err)
		}
	}
}
