package progress

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// screen is what a terminal shows after text: a line feed begins a line, a carriage
// return goes back to its beginning.
func screen(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		var shown []rune
		column := 0
		for _, r := range line {
			if r == '\r' {
				column = 0
				continue
			}
			if column == len(shown) {
				shown = append(shown, r)
			}
			shown[column] = r
			column++
		}
		lines = append(lines, strings.TrimRight(string(shown), " "))
	}
	return lines
}

func TestScreen(t *testing.T) {
	want := []string{"abcd", "xyc", ""}
	if diff := cmp.Diff(want, screen("abcd\nabc\rxy\n  \r")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// step is a report, a second after the one before.
type step struct{ done, total int64 }

// TestBar draws transfers, a second between two reports.
func TestBar(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []Option
		steps   []step
		want    []string
	}{
		{"nothing", nil, nil, []string{""}},
		{"an empty transfer", nil, []step{{0, 0}}, []string{""}},
		{"complete", nil, []step{{0, 4000}, {1000, 4000}, {4000, 4000}, {4000, 4000}}, []string{"file 100% |██████████████████████████████| (4.0/4.0 kB, 2.0 kB/s)", ""}},
		{"incomplete", nil, []step{{0, 4000}, {3000, 4000}}, []string{"file  75% |██████████████████████        | (3.0/4.0 kB, 3.0 kB/s) [1s:0s]", ""}},
		{"unknown length", nil, []step{{0, -1}, {1000, -1}, {2500, -1}}, []string{`\ file (2.5 kB, 833 B/s) [3s]`, ""}},
		{"longer than announced", nil, []step{{1000, 2000}, {3000, 2000}}, []string{"/ file (3.0 kB, 3.0 kB/s) [1s]", ""}},
		{"again, while on the way", nil, []step{{1000, 2000}, {500, 2000}}, []string{"file  25% |███████                       | (500 B/2.0 kB) [0s:0s]", ""}},
		{"again, after the end", nil, []step{{2000, 2000}, {500, 2000}}, []string{"file 100% |██████████████████████████████| (2.0/2.0 kB)", "file  25% |███████                       | (500 B/2.0 kB) [0s:0s]", ""}},
		{"cleared, complete", []Option{Clear()}, []step{{0, 2}, {2, 2}}, []string{""}},
		{"cleared, incomplete", []Option{Clear()}, []step{{0, 2}, {1, 2}}, []string{""}},
		{"cleared, unknown", []Option{Clear()}, []step{{1, -1}}, []string{""}},
		{"not yet", []Option{Every(time.Minute)}, []step{{0, 4000}, {3000, 4000}}, []string{"file   0% |                              | ( 0 B/4.0 kB) [0s:0s]", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				bar := New("file", append([]Option{To(&out), Always()}, c.options...)...)
				for _, s := range c.steps {
					bar.report(s.done, s.total)
					time.Sleep(time.Second)
				}
				for range 2 {
					if err := bar.Close(); err != nil {
						t.Error(err)
					}
				}
				bar.report(1, 2) // after the end
				if diff := cmp.Diff(c.want, screen(out.String())); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// TestSilent gives every kind of output that is no terminal.
func TestSilent(t *testing.T) {
	t.Setenv("TERM", "xterm")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out bytes.Buffer
	for name, options := range map[string][]Option{
		"buffer": {To(&out)}, "nothing": {To(nil)}, "nothing, always": {To(nil), Always()}, "nil option": {To(&out), nil},
		"file": {To(file)},
	} {
		bar := New(name, options...)
		bar.report(1, 2)
		bar.report(2, 2)
		bar.Close()
		if info, err := file.Stat(); out.Len() > 0 || err != nil || info.Size() > 0 {
			t.Errorf("%s: something is written, %v", name, err)
		}
	}
}

// TestBroken has an output that fails: the transfer does not.
func TestBroken(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(errors.New("gone"))
	bar := New("file", To(w), Always(), Every(0))
	defer bar.Close()
	got, err := io.ReadAll(bar.Reader(strings.NewReader("content"), 7))
	if string(got) != "content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPrintable(t *testing.T) {
	for name, want := range map[string]string{
		"report.pdf":            "report.pdf",
		"\x1b[2Jgone\r\n":       "�[2Jgone��",
		"fdp.\u202etroper":      "fdp.�troper",
		"größe":                 "größe",
		strings.Repeat("ä", 40): strings.Repeat("ä", 40),
		strings.Repeat("ä", 41): strings.Repeat("ä", 39) + "…",
		"[red]no colour[reset]": "[red]no colour[reset]",
	} {
		if diff := cmp.Diff(want, printable(name)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// echo is a server that answers with what it gets; at /flaky it refuses once.
func echo(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// last is the last line that is not empty, up to its rate and time, which vary.
func last(text string) string {
	lines := slices.DeleteFunc(screen(text), func(line string) bool { return line == "" })
	if len(lines) == 0 {
		return ""
	}
	line, _, _ := strings.Cut(lines[len(lines)-1], ",")
	return line
}

// TestTransfers draws what the toolbelt reports.
func TestTransfers(t *testing.T) {
	wiretest.NoLeak(t)
	url := echo(t)
	content := strings.Repeat("x", 200_000)
	s := requests.NewSession()
	defer s.Close()
	full := strings.Repeat("█", width)
	cases := map[string]struct {
		transfer func(bar *Bar) error
		want     string
	}{
		"fields": {func(bar *Bar) error {
			e, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "f", Filename: "f", Value: content}}, toolbelt.Boundary("b"))
			if err != nil {
				return err
			}
			_, err = s.Post(t.Context(), url, bar.Upload(e))
			return err
		}, "file 100% |" + full + "| (200/200 kB"},
		"sized reader": {func(bar *Bar) error {
			r, err := s.Post(t.Context(), url, requests.Body(bar.Reader(strings.NewReader(content), int64(len(content)))))
			if err == nil && r.Request.Headers.Get("Content-Length") != "200000" {
				return errors.New("no Content-Length")
			}
			return err
		}, "file 100% |" + full + "| (200/200 kB"},
		"reader": {func(bar *Bar) error {
			r, err := s.Post(t.Context(), url, requests.Body(bar.Reader(strings.NewReader(content), -1)))
			if err == nil && r.Request.Headers.Get("Transfer-Encoding") != "chunked" {
				return errors.New("not chunked")
			}
			return err
		}, "- file (200 kB"},
		"download": {func(bar *Bar) error {
			r, err := s.Post(t.Context(), url, requests.Body(content), requests.Stream(true))
			if err != nil {
				return err
			}
			_, err = toolbelt.StreamResponseToFile(r, filepath.Join(t.TempDir(), "f"), bar.Download())
			return err
		}, "file 100% |" + full + "| (200/200 kB"},
		"pool": {func(bar *Bar) error {
			urls := slices.Values([]string{url, url + "/bad", "nonsense", url})
			pool, err := toolbelt.FromURLs(urls, toolbelt.Workers(2), bar.Pool(4))
			if err != nil {
				return err
			}
			return pool.Join(t.Context())
		}, "file (1 failed) 100% |" + full + "| (4/4"},
		"pool of unknown size": {func(bar *Bar) error {
			pool, err := toolbelt.FromURLs(slices.Values([]string{url, url}), bar.Pool(0))
			if err != nil {
				return err
			}
			return pool.Join(t.Context())
		}, "- file (2/-"},
	}
	for name, c := range cases {
		var out bytes.Buffer
		bar := New("file", To(&out), Always(), Every(0))
		err := c.transfer(bar)
		bar.Close()
		if diff := cmp.Diff(c.want, last(out.String())); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

// TestStartsOver sends a body again where a redirect asks for it.
func TestStartsOver(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{
		wiretest.Text(307, "", [2]string{"Location", "/again"}), wiretest.Text(200, "ok"),
	}})
	body, err := toolbelt.NewStreamingIterator(200_000, strings.NewReader(strings.Repeat("x", 200_000)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	bar := New("file", To(&out), Always(), Every(0))
	_, err = requests.Post(t.Context(), server.URL("/"), bar.Upload(body))
	bar.Close()
	if n := strings.Count(strings.Join(screen(out.String()), "\n"), "100%"); n != 2 || err != nil {
		t.Errorf("%d full bars, %v:\n%q", n, err, out.String())
	}
}

// TestConcurrent reports from many goroutines, for the race detector.
func TestConcurrent(t *testing.T) {
	bar := New("file", To(io.Discard), Always(), Every(0))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range int64(50) {
				bar.show(j, 50, i, inJobs)
			}
			bar.Close()
		})
	}
	all.Wait()
}
