package requests_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// refusal is what a server does with the first stream of a connection.
type refusal func(f *http2.Framer, stream uint32) error

func goAway(code http2.ErrCode, last uint32) refusal {
	return func(f *http2.Framer, stream uint32) error { return f.WriteGoAway(last, code, nil) }
}

func reset(code http2.ErrCode) refusal {
	return func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream, code) }
}

// refusing is a server, HTTP/2 in the clear, that refuses the first stream of its
// first so many connections and answers all others with 200.
func refusing(t *testing.T, refuse refusal, times int32) (url string, streams *atomic.Int32) {
	streams = new(atomic.Int32)
	var connections atomic.Int32
	server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		refused := connections.Add(1) > times
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := http2.NewFramer(c, c)
		_ = f.WriteSettings()
		begun := uint32(0) // the last stream whose body has come
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.HeadersFrame:
				streams.Add(1)
			case *http2.DataFrame: // a body that has not been touched may go out again
				switch {
				case frame.StreamID == begun:
				case !refused:
					begun, refused = frame.StreamID, true
					_ = refuse(f, begun)
				default:
					begun = frame.StreamID
					_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: begun, BlockFragment: status200(), EndHeaders: true, EndStream: true})
				}
			}
		}
	}})
	return server.URL("/"), streams
}

func status200() []byte {
	var b bytes.Buffer
	_ = hpack.NewEncoder(&b).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	return b.Bytes()
}

// TestHTTP2Refused sends again what a server says that it has not looked at (RFC 9113
// section 8.7), a few times, whatever the method; and nothing else.
func TestHTTP2Refused(t *testing.T) {
	oneShot := func() any { return io.MultiReader(strings.NewReader("body")) }
	text := func() any { return "body" }
	for name, c := range map[string]struct {
		refuse  refusal
		times   int32
		body    func() any
		streams int32
		ok      bool
	}{
		"GOAWAY before the stream":     {goAway(http2.ErrCodeNo, 0), 1, text, 2, true},
		"GOAWAY thrice":                {goAway(http2.ErrCodeNo, 0), 3, text, 4, true},
		"GOAWAY always":                {goAway(http2.ErrCodeNo, 0), 99, text, 4, false},
		"GOAWAY, body sent once":       {goAway(http2.ErrCodeNo, 0), 1, oneShot, 1, false},
		"REFUSED_STREAM":               {reset(http2.ErrCodeRefusedStream), 1, text, 2, true},
		"another reset":                {reset(http2.ErrCodeInternal), 1, text, 1, false},
		"GOAWAY with an error, before": {goAway(http2.ErrCodeEnhanceYourCalm, 0), 1, text, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			url, streams := refusing(t, c.refuse, c.times)
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", requests.NewHTTPAdapter(requests.HTTP2PriorKnowledge()))
			r, err := s.Post(t.Context(), url, requests.Body(c.body()))
			if (err == nil) != c.ok || streams.Load() != c.streams {
				t.Errorf("%v, %v after %d streams, want %d", r, err, streams.Load(), c.streams)
			}
		})
	}
}
