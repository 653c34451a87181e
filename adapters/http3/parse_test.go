package http3

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/mountable/requests/internal/h1"
)

// headersFrame is a HEADERS frame of these names and values.
func headersFrame(fields ...string) []byte {
	var b bytes.Buffer
	e := qpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(qpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return appendFrame(nil, frameHeaders, b.Bytes())
}

func dataFrame(text string) []byte { return appendFrame(nil, frameData, []byte(text)) }

func join(parts ...[]byte) string { return string(bytes.Join(parts, nil)) }

type reading func(p []byte) (int, error)

func (r reading) Read(p []byte) (int, error) { return r(p) }

// respond reads a response from a stream, and writes down all that a caller can see of it.
func respond(stream io.Reader) string {
	x := &exchange{
		conn: &conn{users: 2, retire: func() {}}, pool: newConnections(), sending: &sending{},
		frames: frames{r: bufio.NewReader(stream)}, closed: make(chan struct{}),
	}
	u := &upload{exchange: x, continued: make(chan struct{})}
	req, _ := http.NewRequestWithContext(context.Background(), "GET", "https://a.test/", nil)
	resp, err := x.response(req, u)
	if err != nil {
		return err.Error()
	}
	var content []byte
	if resp.Body != http.NoBody {
		content, err = io.ReadAll(reading(x.read)) // Read would tell the connection of a fault, and there is none
	}
	return fmt.Sprint(resp.StatusCode, " ", x.sending.fields, " ", string(content), " ", resp.Trailer, " ", err)
}

// TestResponses: a response is the same whole and byte by byte, and each cut in front of its end is an error.
func TestResponses(t *testing.T) {
	for name, c := range map[string]struct{ stream, want string }{
		"length":        {join(headersFrame(":status", "200", "content-length", "4", "b", "2"), dataFrame("bo"), dataFrame("dy")), "200 [[content-length 4] [b 2]] body map[] <nil>"},
		"trailers":      {join(headersFrame(":status", "200", "content-length", "1"), dataFrame("x"), headersFrame("t", "v")), "200 [[content-length 1]] x map[T:[v]] <nil>"},
		"interim":       {join(headersFrame(":status", "103", "link", "</a>"), headersFrame(":status", "200", "content-length", "1"), dataFrame("x")), "200 [[content-length 1]] x map[] <nil>"},
		"unknown":       {join(appendFrame(nil, 0x21, []byte("grease")), headersFrame(":status", "200", "content-length", "1"), dataFrame("x")), "200 [[content-length 1]] x map[] <nil>"},
		"too long":      {join(headersFrame(":status", "200", "content-length", "1"), dataFrame("xy")), "200 [[content-length 1]]  map[] http3: the server's body is longer than its Content-Length, 1"},
		"data first":    {join(dataFrame("x")), "http3: the server sent a frame of the type 0 where it does not belong"},
		"of HTTP/2":     {join(appendFrame(nil, 8, nil)), "http3: the server sent a frame of the type 8 where it does not belong"},
		"no status":     {join(headersFrame("a", "1")), "http3: the server sent a head without a status"},
		"status twice":  {join(headersFrame(":status", "200", ":status", "200")), `http3: the server sent the field ":status" where it does not belong`},
		"late status":   {join(headersFrame("a", "1", ":status", "200")), `http3: the server sent the field ":status" where it does not belong`},
		"upper case":    {join(headersFrame(":status", "200", "A", "1")), `http3: the server sent the invalid field name "A"`},
		"two lengths":   {join(headersFrame(":status", "200", "content-length", "1", "content-length", "2")), "http3: the server sent an invalid Content-Length"},
		"a large frame": {string(quicvarint.Append([]byte{frameHeaders}, h1.DefaultHeadBytes+1)), fmt.Sprintf("http3: the server's header is larger than %d bytes", h1.DefaultHeadBytes)},
	} {
		t.Run(name, func(t *testing.T) {
			got := []string{respond(strings.NewReader(c.stream)), respond(iotest.OneByteReader(strings.NewReader(c.stream)))}
			if diff := cmp.Diff([]string{c.want, c.want}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if name == "trailers" {
				return // a body of known length ends with it
			}
			for cut := range len(c.stream) {
				if got := respond(strings.NewReader(c.stream[:cut])); got == c.want && strings.HasSuffix(got, "<nil>") || !strings.Contains(got, "unexpected EOF") && got != c.want {
					t.Errorf("cut at %d of %d: %s", cut, len(c.stream), got)
				}
			}
		})
	}
}

// controlled reads a control stream and returns why it ended.
func controlled(stream io.Reader) string {
	c := &conn{retire: func() {}}
	err := c.control(bufio.NewReader(stream))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Sprint("ended ", c.mostHead.Load(), c.gone, c.bound)
	}
	return err.Error()
}

// TestControl: so is a control stream, which has no end.
func TestControl(t *testing.T) {
	set := func(values ...uint64) []byte {
		var payload []byte
		for _, v := range values {
			payload = quicvarint.Append(payload, v)
		}
		return appendFrame(nil, frameSettings, payload)
	}
	for name, c := range map[string]struct{ stream, want string }{
		"settings":        {join(set(settingMaxHead, 9)), "ended 10 false 0"},
		"grease":          {join(set(0x21, 1<<60), appendFrame(nil, 0x21, []byte("x"))), "ended 0 false 0"},
		"going":           {join(set(), appendFrame(nil, frameGoAway, []byte{8})), "ended 0 true 8"},
		"going further":   {join(set(), appendFrame(nil, frameGoAway, []byte{4}), appendFrame(nil, frameGoAway, []byte{8})), "http3: the server's GOAWAY has the number 8"},
		"an odd number":   {join(set(), appendFrame(nil, frameGoAway, []byte{3})), "http3: the server's GOAWAY has the number 3"},
		"settings twice":  {join(set(), set()), "http3: the server's SETTINGS are not the first frame, and the only one of them"},
		"none":            {join(appendFrame(nil, frameGoAway, []byte{8})), "http3: the server's SETTINGS are not the first frame, and the only one of them"},
		"one twice":       {join(set(7, 1, 7, 1)), "http3: the server's SETTINGS have 0x7, twice or of HTTP/2"},
		"of HTTP/2":       {join(set(2, 1)), "http3: the server's SETTINGS have 0x2, twice or of HTTP/2"},
		"half a setting":  {join(appendFrame(nil, frameSettings, []byte{7})), "http3: the server's SETTINGS end in the middle"},
		"data":            {join(set(), dataFrame("x")), "http3: the server sent a frame of the type 0 where it does not belong"},
		"a push canceled": {join(set(), appendFrame(nil, frameCancelPush, []byte{1})), "http3: the server cancels a push that was not promised"},
		"too many":        {join(set(), bytes.Repeat(appendFrame(nil, 0x21, nil), mostUnknown+1)), "http3: the server sent too many frames that nobody knows"},
	} {
		t.Run(name, func(t *testing.T) {
			got := []string{controlled(strings.NewReader(c.stream)), controlled(iotest.OneByteReader(strings.NewReader(c.stream)))}
			if diff := cmp.Diff([]string{c.want, c.want}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for cut := range len(c.stream) {
				if got := controlled(strings.NewReader(c.stream[:cut])); !strings.HasPrefix(got, "ended ") && got != c.want {
					t.Errorf("cut at %d of %d: %s", cut, len(c.stream), got)
				}
			}
		})
	}
}

// FuzzStreams: no bytes of a server make a panic, and how they come does not matter.
func FuzzStreams(f *testing.F) {
	f.Add([]byte(join(headersFrame(":status", "103"), headersFrame(":status", "200", "content-length", "1"), dataFrame("x"), headersFrame("t", "v"))))
	f.Add([]byte(join(appendFrame(nil, frameSettings, []byte{settingMaxHead, 9}), appendFrame(nil, frameGoAway, []byte{8}), appendFrame(nil, 0x21, nil))))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, read := range []func(io.Reader) string{respond, controlled} {
			if diff := cmp.Diff(read(bytes.NewReader(stream)), read(iotest.OneByteReader(bytes.NewReader(stream)))); diff != "" {
				t.Errorf("whole and byte by byte differ (-whole +bytes)\n%s", diff)
			}
		}
	})
}
