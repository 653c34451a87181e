package toolbelt

import (
	"io"
	"os"
	"slices"

	"github.com/mountable/requests"
)

// Monitor is a body that tells a callback how much of it has been read, which is
// how much has been handed to the connection. It watches any [requests.Streamer], a
// [MultipartEncoder] for one, is one itself, and is a [requests.Option].
type Monitor struct {
	body     requests.Streamer
	callback func(*Monitor)
	read     int64
}

// NewMonitor watches body. callback is called after every piece, on the goroutine
// that sends; nil calls nothing.
func NewMonitor(body requests.Streamer, callback func(m *Monitor)) *Monitor {
	return &Monitor{body: body, callback: callback}
}

// MonitorFields watches a new [MultipartEncoder] of fields.
func MonitorFields(fields []Field, callback func(m *Monitor), options ...EncoderOption) (*Monitor, error) {
	e, err := NewMultipartEncoder(fields, options...)
	if err != nil {
		return nil, err
	}
	return NewMonitor(e, callback), nil
}

// BytesRead returns how many bytes have been read since the body last began.
func (m *Monitor) BytesRead() int64 { return m.read }

// Len returns the length of the body in bytes.
func (m *Monitor) Len() int64 { return m.body.Len() }

// ContentType returns that of the body, "" if it has none.
func (m *Monitor) ContentType() string {
	if body, ok := m.body.(interface{ ContentType() string }); ok {
		return body.ContentType()
	}
	return ""
}

// Rewind makes the body, and the counting, start again.
func (m *Monitor) Rewind() error {
	m.read = 0
	return m.body.Rewind()
}

// Apply makes m, from its beginning, the body of r, and sets the Content-Type of a
// body that has one.
func (m *Monitor) Apply(r *requests.Request) error {
	if err := m.Rewind(); err != nil {
		return err
	}
	r.Body = m
	if kind := m.ContentType(); kind != "" {
		return requests.Headers{{"Content-Type", kind}}.Apply(r)
	}
	return nil
}

// Read reads from the body; the callback is called after every read, also one that
// gave nothing.
func (m *Monitor) Read(b []byte) (int, error) {
	counted := false
	defer func() {
		if !counted { // the callback panics, and nobody will read on
			m.abandon()
		}
	}()
	n, err := m.body.Read(b)
	m.count(n)
	counted = true
	return n, err
}

func (m *Monitor) count(n int) {
	m.read += int64(n)
	if m.callback != nil {
		m.callback(m)
	}
}

func (m *Monitor) abandon() {
	if body, ok := m.body.(abandoner); ok {
		body.abandon()
	}
}

// WriteTo writes the rest of the body; the callback is called after every write.
func (m *Monitor) WriteTo(w io.Writer) (int64, error) {
	counted := &countedWriter{w, m}
	body, ok := m.body.(io.WriterTo)
	if !ok {
		return io.Copy(counted, onlyReader{m.body})
	}
	if _, ok := w.(io.ReaderFrom); ok {
		return body.WriteTo(countedFiles{counted})
	}
	return body.WriteTo(counted)
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

// countedWriter tells a monitor what has been written, of a large piece in between.
type countedWriter struct {
	w io.Writer
	m *Monitor
}

func (c *countedWriter) Write(b []byte) (total int, err error) {
	for piece := range slices.Chunk(b, blockSize) {
		n, err := c.w.Write(piece)
		c.m.count(n)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// countedFiles passes files on in pieces, so that they still go from kernel to
// kernel and are counted on the way.
type countedFiles struct{ *countedWriter }

// filePiece is after how much of a file a monitor is told.
const filePiece = 1 << 20

func (c countedFiles) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(c.countedWriter, r)
	}
	f, ok := limited.R.(*os.File)
	if !ok {
		return io.Copy(c.countedWriter, r)
	}
	var total int64
	for limited.N > 0 {
		n, err := c.w.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: f, N: min(limited.N, filePiece)})
		total += n
		limited.N -= n
		c.m.count(int(n))
		if err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}
