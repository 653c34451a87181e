package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
	"github.com/schollz/progressbar/v3"
)

// Bar shows one transfer, or one pool, on one line. A transfer that starts over, for a
// retry or a redirect, starts the bar over. Bars that are shown at the same time in
// one terminal overwrite each other: for several at once there is [Group], and for a pool [Bar.Pool].
//
// A Bar is safe for concurrent use.
type Bar struct {
	look
	name string

	// mu protects the fields below.
	mu     sync.Mutex
	line   *progressbar.ProgressBar // nil before the first report
	done   int64
	total  int64 // -1 if unknown
	failed int
	closed bool
}

// look is what options say of a bar.
type look struct {
	out     io.Writer
	visible bool
	clear   bool
	every   time.Duration
}

// Option changes how a [Bar] looks.
type Option func(b *Bar)

// To writes the bar to w, [os.Stderr] by default. Where w is not a terminal nothing is
// written; see [Always].
func To(w io.Writer) Option {
	return func(b *Bar) { b.out, b.visible = w, isTerminal(w) }
}

// Always draws the bar where no terminal is recognized as well. Put it after [To].
func Always() Option { return func(b *Bar) { b.visible = b.out != nil } }

// Every draws the bar again after d at the earliest, a tenth of a second by default;
// its end is always drawn.
func Every(d time.Duration) Option { return func(b *Bar) { b.every = d } }

// Clear removes the bar when it is full or closed, where by default it stays and the
// next line is begun.
func Clear() Option { return func(b *Bar) { b.clear = true } }

// defaultEvery is often enough to look smooth.
const defaultEvery = 100 * time.Millisecond

// New returns a bar with a name before it, such as that of the file. Of a name the
// first 40 characters are shown, without those that could steer the terminal. Nothing
// is drawn before the transfer begins. Close it.
func New(name string, options ...Option) *Bar {
	b := &Bar{look: look{every: defaultEvery}, name: printable(name)}
	To(os.Stderr)(b)
	for _, o := range options {
		if o != nil {
			o(b)
		}
	}
	return b
}

// sibling is another bar with the options of b.
func (b *Bar) sibling(name string) *Bar { return &Bar{look: b.look, name: printable(name)} }

// Upload shows how much of body has been handed to the connection. The result is a
// [requests.Option] that sends body, with its Content-Type if it has one, and a
// [requests.Streamer] itself. A file goes through [toolbelt.NewStreamingIterator].
func (b *Bar) Upload(body requests.Streamer) *toolbelt.Monitor {
	return toolbelt.NewMonitor(body, func(m *toolbelt.Monitor) { b.report(m.BytesRead(), m.Len()) })
}

// Reader shows how much has been read from r, which has size bytes, or a number
// unknown where size is negative. As [requests.Body] the result has a Content-Length
// if size is known, and cannot be sent a second time.
func (b *Bar) Reader(r io.Reader, size int64) io.Reader {
	counted := reader{r: r, bar: b, size: size}
	if size < 0 {
		return &counted
	}
	return &sizedReader{counted}
}

// Download shows how much has been saved. It is for one download.
func (b *Bar) Download() toolbelt.DownloadOption { return toolbelt.OnProgress(b.report) }

// Pool shows how many of total jobs are done, and how many failed. A total below 1 is
// unknown.
func (b *Bar) Pool(total int) toolbelt.PoolOption {
	known := int64(total)
	if total < 1 {
		known = -1
	}
	return toolbelt.OnDone(func(done, failed int) { b.show(int64(done), known, failed, inJobs) })
}

// Close ends the line of a bar that is not full. Nothing is drawn afterwards. It may
// be called more than once, and returns nil.
func (b *Bar) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.line == nil || b.line.IsFinished() {
		return nil
	}
	if b.clear {
		_ = b.line.Clear()
	} else if b.total < 0 {
		_ = b.line.Finish()
	} else {
		_ = b.line.Exit()
	}
	return nil
}

func (b *Bar) report(done, total int64) { b.show(done, total, 0, inBytes) }

// show draws the state of the transfer, if it is time to.
func (b *Bar) show(done, total int64, failed int, unit []progressbar.Option) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.visible || b.closed || total == 0 {
		return
	}
	if done > total {
		total = -1 // not known, or not true
	}
	if b.line == nil || total != b.total || done < b.done {
		b.begin(total, unit)
	}
	if b.done = done; failed != b.failed {
		b.failed = failed
		b.line.Describe(fmt.Sprintf("%s (%d failed)", b.name, failed))
	}
	_ = b.line.Set64(done)
}

// What the library counts in. Both are always shown, so that every report may draw.
var (
	inBytes = []progressbar.Option{progressbar.OptionShowBytes(true), progressbar.OptionShowCount()}
	inJobs  = []progressbar.Option{progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("jobs")}
)

// width is that of the bar itself; the library shortens it where the terminal is
// narrower than the line.
const width = 30

// begin starts the line, instead of one that has not ended.
func (b *Bar) begin(total int64, unit []progressbar.Option) {
	if b.line != nil && !b.line.IsFinished() {
		_ = b.line.Clear()
	}
	b.total, b.failed = total, 0
	options := append([]progressbar.Option{
		progressbar.OptionSetWriter(b.out),
		progressbar.OptionSetDescription(b.name),
		progressbar.OptionSetWidth(width),
		progressbar.OptionThrottle(b.every),
		progressbar.OptionSetSpinnerChangeInterval(0), // else it starts a goroutine
	}, unit...)
	if b.clear {
		options = append(options, progressbar.OptionClearOnFinish())
	} else {
		options = append(options, progressbar.OptionOnCompletion(func() { _, _ = io.WriteString(b.out, "\n") }))
	}
	b.line = progressbar.NewOptions64(total, options...)
}
