package parity

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/toolbelt"
)

var _ = register(map[string]vectorFunc{
	"toolbelt_multipart_encoder":  multipartEncoder,
	"toolbelt_encoder_reads":      encoderReads,
	"toolbelt_monitor":            monitorReads,
	"toolbelt_multipart_decoder":  multipartDecoder,
	"toolbelt_body_part":          bodyPart,
	"toolbelt_streaming_iterator": streamingIterator,
})

func init() {
	recordedForms["toolbelt_multipart_decoder"] = func(tree any) any {
		return eachObject(tree, func(o map[string]any) {
			editString(o, "text", func(s string) string {
				if strings.HasPrefix(s, "!") {
					return "!Error"
				}
				return s
			})
		})
	}
	recordedForms["toolbelt_body_part"] = recordedForms["toolbelt_multipart_decoder"]
}

// toolbeltFields makes the fields of an encoder.
func toolbeltFields(t *testing.T, in input) ([]toolbelt.Field, error) {
	if in.textOr("encoding", "utf-8") != "utf-8" {
		return nil, cannot("an encoding for text: strings are bytes here, in the caller's encoding")
	}
	if !in.present("fields") {
		return nil, cannot("no fields at all, which in Go is an empty list of them")
	}
	entries, err := typedEntries(in.typed(t, "fields"))
	if err != nil {
		return nil, err
	}
	fields := []toolbelt.Field{}
	for _, e := range entries {
		name, err := pythonText(e[0])
		if err != nil {
			return nil, err
		}
		f := toolbelt.Field{Name: name}
		if err := fieldInto(e[1], &f); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// fieldInto fills a field from data or (filename, data, type, headers).
func fieldInto(v any, f *toolbelt.Field) error {
	items, isTuple := sequence(v)
	if !isTuple {
		return fieldValue(v, f)
	}
	if len(items) < 2 || len(items) > 4 {
		return cannot("a field tuple of %d items", len(items))
	}
	if items[0] != nil {
		name, ok := items[0].(string)
		if !ok {
			return cannot("a file name that is %T", items[0])
		}
		f.Filename, f.HasFilename = name, true
	}
	if len(items) > 2 && items[2] != nil {
		text, ok := items[2].(string)
		if !ok {
			return cannot("a content type that is %T", items[2])
		}
		f.ContentType = text
	}
	if len(items) > 3 {
		pairs, _, err := typedPairs(items[3])
		if err != nil {
			return err
		}
		f.Headers = pairs
	}
	return fieldValue(items[1], f)
}

func fieldValue(v any, f *toolbelt.Field) error {
	switch v := v.(type) {
	case string, []byte:
		f.Value = v
	case *fileValue:
		r := bytes.NewReader(v.content)
		r.Seek(int64(v.pos), io.SeekStart)
		f.Value = r
	case *textFileValue:
		f.Value = v.open()
	default:
		return cannot("%T as the data of a field", v)
	}
	return nil
}

func newEncoder(t *testing.T, in input) (*toolbelt.MultipartEncoder, error) {
	fields, err := toolbeltFields(t, in)
	if err != nil {
		return nil, err
	}
	return toolbelt.NewMultipartEncoder(fields, toolbelt.Boundary(in.text("boundary")))
}

func multipartEncoder(t *testing.T, in input) (any, error) {
	e, err := newEncoder(t, in)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"len": e.Len(), "content_type": e.ContentType(), "same": true}
	body, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	out["body"] = b64(body)
	for _, size := range []int{1, 1024, 7} {
		if err := e.Rewind(); err != nil {
			return nil, err
		}
		again, sizes, err := inPieces(e, size)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(again, body) {
			out["same"] = false
		}
		out["short_reads"] = sizes[:min(len(sizes), 12)]
	}
	out["len_after"] = e.Len()
	return out, nil
}

// inPieces reads n bytes at a time and returns the sizes of the reads.
func inPieces(r io.Reader, n int) (all []byte, sizes []int, err error) {
	piece := make([]byte, n)
	sizes = []int{}
	for {
		m, err := r.Read(piece)
		if m > 0 {
			all, sizes = append(all, piece[:m]...), append(sizes, m)
		}
		if err == io.EOF {
			return all, sizes, nil
		}
		if err != nil {
			return all, sizes, err
		}
	}
}

// readSized does what read(size) does in Python: everything for -1.
func readSized(r io.Reader, size any) ([]byte, error) {
	n := intOf(size)
	number, _ := size.(json.Number)
	switch {
	case number.String() != strconv.Itoa(n) || n < -1:
		return nil, cannot("a read of %v", size)
	case n == -1:
		return io.ReadAll(r)
	}
	piece := make([]byte, n)
	m, err := r.Read(piece)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return piece[:m], err
}

func encoderReads(t *testing.T, in input) (any, error) {
	e, err := newEncoder(t, in)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, size := range in.list("reads") {
		chunk, err := readSized(e, size)
		if err != nil {
			return nil, err
		}
		out = append(out, map[string]any{"chunk": b64(chunk), "finished": e.Finished(), "len": e.Len()})
	}
	return out, nil
}

func monitorReads(t *testing.T, in input) (any, error) {
	e, err := newEncoder(t, in)
	if err != nil {
		return nil, err
	}
	calls := []int64{}
	m := toolbelt.NewMonitor(e, func(m *toolbelt.Monitor) { calls = append(calls, m.BytesRead()) })
	var body []byte
	for _, size := range in.list("reads") {
		chunk, err := readMonitored(m, intOf(size))
		if err != nil {
			return nil, err
		}
		body = append(body, chunk...)
	}
	return map[string]any{"len": m.Len(), "content_type": m.ContentType(), "calls": calls, "body": b64(body)}, nil
}

// readMonitored makes one read, also of everything.
func readMonitored(m *toolbelt.Monitor, size int) ([]byte, error) {
	if size < 0 {
		size = int(m.Len()) + 1
	}
	piece := make([]byte, size)
	n, err := m.Read(piece)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return piece[:n], err
}

func multipartDecoder(_ *testing.T, in input) (any, error) {
	d, err := toolbelt.NewMultipartDecoder(in.bytes("content"), in.text("content_type"), in.text("encoding"))
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for _, p := range d.Parts {
		parts = append(parts, showPart(p))
	}
	return map[string]any{"boundary": b64([]byte(d.Boundary)), "parts": parts}, nil
}

func showPart(p *toolbelt.BodyPart) map[string]any {
	headers := []any{}
	for _, h := range p.Headers {
		headers = append(headers, []any{b64([]byte(h[0])), b64([]byte(h[1]))})
	}
	text, err := p.Text()
	if err != nil {
		text = "!Error"
	}
	return map[string]any{"headers": headers, "content": b64(p.Content), "text": text}
}

func bodyPart(_ *testing.T, in input) (any, error) {
	p, err := toolbelt.NewBodyPart(in.bytes("content"), in.text("encoding"))
	if err != nil {
		return nil, err
	}
	return showPart(p), nil
}

func streamingIterator(t *testing.T, in input) (any, error) {
	size, ok := in.typed(t, "size").(int64)
	if !ok {
		return nil, cannot("a size of %v", in.fields["size"])
	}
	source, err := streamSource(t, in)
	if err != nil {
		return nil, err
	}
	s, err := toolbelt.NewStreamingIterator(size, source)
	if err != nil {
		return nil, err
	}
	p, err := (&requests.Request{Method: "POST", URL: "http://h.test/", Body: s}).Prepare()
	if err != nil {
		return nil, err
	}
	out := map[string]any{"len": s.Len(), "super_len": p.ContentLength()}
	reads := []any{}
	for _, n := range in.list("reads") {
		chunk, err := readSized(s, n)
		if err != nil {
			return nil, err
		}
		reads = append(reads, b64(chunk))
	}
	out["reads"], out["len_after"] = reads, s.Len()
	return out, nil
}

// streamSource is an iterator over chunks, text in the recorded encoding, or a reader.
func streamSource(t *testing.T, in input) (any, error) {
	encoding := in.textOr("encoding", "utf-8")
	if charset.FromContentType("t/t; charset="+encoding) != "utf-8" && (in.has("textfile") || slices.ContainsFunc(in.list("chunks"), isText)) {
		return nil, cannot("text in %s: strings are bytes here, in the caller's encoding", encoding)
	}
	switch {
	case in.has("textfile"):
		return strings.NewReader(in.text("textfile")), nil
	case in.has("file"):
		return bytes.NewReader(in.bytes("file")), nil
	}
	items, err := typedItems(in.list("chunks"))
	if err != nil {
		return nil, err
	}
	return iterator(items), nil
}

func isText(v any) bool { _, ok := v.(string); return ok }
