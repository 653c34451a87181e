package book

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience is for a machine with other things to do. The test takes a quarter of a minute on a quiet one.
const patience = 8 * time.Minute

// The windows that pages are looked at in: a telephone's, and a small computer's.
const telephone, computer = 390, 1280

//go:embed testdata/crawl.js
var crawl string

//go:embed testdata/texts.js
var texts string

// view is what crawl.js finds of a page.
type view struct {
	Overflow []string `json:"overflow"`
	Faint    []string `json:"faint"`
	Links    []string `json:"links"`
	IDs      []string `json:"ids"`
	Broken   []string `json:"broken"`
}

// browser is Chromium under way, and the site that it is shown.
type browser struct {
	ctx  context.Context
	site map[string][]byte
	base string // where the site is served

	// mu protects the field below.
	mu      sync.Mutex
	missing []string // what was asked for and is not there
}

// tab is a tab of the browser, for one test.
type tab struct {
	*browser
	t   *testing.T
	ctx context.Context
}

// TestBrowser opens the site in Chromium, which starts once for all of it.
func TestBrowser(t *testing.T) {
	b := start(t)
	t.Run("links", func(t *testing.T) { b.tab(t).testLinks() })
	t.Run("pictures", func(t *testing.T) { b.tab(t).testPictures() })
	t.Run("search", func(t *testing.T) { b.tab(t).testSearch() })
	t.Run("without scripts", func(t *testing.T) { b.tab(t).testWithoutScript() })
	if len(b.missing) > 0 {
		t.Errorf("asked for, and not in the site: %q", b.missing)
	}
}

// testLinks begins at the first page and follows every link, as a reader could: each leads to
// a page and a heading that are there, every page is reached, and none is wider than the window
// or too faint to read, on a telephone by day and on a computer by night.
func (b *tab) testLinks() {
	b.do(chromedp.EmulateViewport(computer+100, 900), chromedp.Navigate(b.base+crawler))
	for _, window := range []struct {
		width  int
		scheme string
	}{{telephone, "light"}, {computer, "dark"}} {
		b.scheme(window.scheme)
		seen := run(b, chromedp.Evaluate[map[string]view](fmt.Sprintf("(%s)(%d)", crawl, window.width), chromedp.EvalAwaitPromise))
		for name, v := range seen {
			if len(v.Overflow)+len(v.Faint)+len(v.Broken) > 0 {
				b.t.Errorf("%s, %d pixels wide, %s:\nwider than the window %q\ntoo faint %q\nbroken images, and those without a text %q",
					name, window.width, window.scheme, v.Overflow, v.Faint, v.Broken)
			}
		}
		b.checkLinks(seen)
		b.t.Logf("%d pages, %d pixels wide", len(seen), window.width)
	}
}

// testPictures: no text of a picture is cut off, or lies over another.
func (b *tab) testPictures() {
	b.do(b.size(computer))
	for _, name := range slices.Sorted(maps.Keys(b.site)) {
		if path.Ext(name) != ".svg" {
			continue
		}
		b.do(chromedp.Navigate(b.base + name))
		got := run(b, chromedp.Evaluate[struct {
			Texts int      `json:"texts"`
			Wrong []string `json:"wrong"`
		}](texts))
		if got.Texts == 0 || len(got.Wrong) > 0 {
			b.t.Errorf("%s: %d texts, %q", name, got.Texts, got.Wrong)
		}
	}
}

// testSearch: what is typed is found, and leads to where it is.
func (b *tab) testSearch() {
	const box, first = chromedp.CSS("search input"), chromedp.CSS(".found li:first-child a")
	b.do(b.size(telephone), chromedp.Navigate(b.base+"docs/guide/quickstart.html"),
		chromedp.SendKeys(box, "retry pauses"), chromedp.WaitVisible(first))
	if got := run(b, chromedp.Text(first)); got != "Retries · Pauses" {
		b.t.Errorf("the first thing that is found is %q", got)
	}
	if width := run(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); width > telephone {
		b.t.Errorf("what is found is %d pixels wide", width)
	}
	b.do(chromedp.Click(first), chromedp.WaitReady(chromedp.CSS("#pauses")))
	if got := run(b, chromedp.Location()); got != b.base+"docs/guide/retries.html#pauses" {
		b.t.Errorf("it leads to %s", got)
	}
}

// testWithoutScript: without scripts everything is there but the search box; on a telephone
// the navigation opens at a touch.
func (b *tab) testWithoutScript() {
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
	const button, menu, entry = chromedp.CSS("button.contents"), chromedp.CSS("nav"), chromedp.CSS(`nav details[open] a[href="retries.html"]`)
	b.do(b.size(telephone), chromedp.Navigate(b.base+"docs/guide/timeouts.html"),
		chromedp.WaitNotVisible(chromedp.CSS("search")), chromedp.WaitNotVisible(menu),
		chromedp.Click(button), chromedp.WaitVisible(menu), chromedp.Click(entry), chromedp.WaitReady(chromedp.CSS(`a[aria-current][href="retries.html"]`)))
	b.do(b.size(computer), chromedp.WaitVisible(menu), chromedp.WaitNotVisible(button))
}

// start starts Chromium, and serves it the site of this repository.
func start(t *testing.T) *browser {
	t.Helper()
	program := chromium()
	if program == "" {
		t.Skip("there is no Chromium here (Debian's package: chromium)")
	}
	site, err := ownSite()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{site: site}
	server := httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(server.Close)
	b.base = server.URL + "/"
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	// The pages are our own, and the sandbox refuses to run as root, as CI does.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

// tab opens a tab, which the end of the test closes.
func (b *browser) tab(t *testing.T) *tab {
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	return &tab{browser: b, t: t, ctx: ctx}
}

// chromium is the program, "" where there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	return ""
}

// crawler is a page with the frame that crawl.js needs.
const crawler = "crawler"

func (b *browser) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	content, ok := b.site[name]
	switch {
	case name == crawler:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><iframe style="height: 800px; border: 0"></iframe>`)
		return
	case name == "favicon.ico": // which browsers ask for beside a picture
		http.NotFound(w, r)
		return
	case !ok:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.missing = append(b.missing, name)
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	_, _ = w.Write(content)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func run[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

func (b *tab) size(width int64) chromedp.Action[chromedp.Void] {
	if width == telephone {
		return chromedp.EmulateViewport(width, 844, chromedp.EmulateMobile)
	}
	return chromedp.EmulateViewport(width, 800)
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

// within splits a link into a file of the site and a heading; ok is false where it leads elsewhere.
func (b *tab) within(link string) (name, id string, ok bool) {
	name, ok = strings.CutPrefix(link, b.base)
	name, id, _ = strings.Cut(name, "#")
	return name, id, ok
}

// checkLinks: each link of the pages leads to a file of the site and to a heading of it, or
// to the world, which is reached by https; and some link leads to each page.
func (b *tab) checkLinks(seen map[string]view) {
	for name := range b.site {
		if _, ok := seen[name]; !ok && path.Ext(name) == ".html" {
			b.t.Errorf("no link leads to %s", name)
		}
	}
	for from, v := range seen {
		for _, link := range v.Links {
			name, id, ok := b.within(link)
			switch {
			case !ok && !strings.HasPrefix(link, "https://"):
				b.t.Errorf("%s: %s leads neither to a page nor into the world", from, link)
			case ok && b.site[name] == nil:
				b.t.Errorf("%s: %s is not there", from, link)
			case ok && id != "" && !slices.Contains(seen[name].IDs, id):
				b.t.Errorf("%s: %s has no such heading", from, link)
			}
		}
	}
}
