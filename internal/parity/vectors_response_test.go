package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"response_text":             responseText,
	"response_json":             responseJSON,
	"json_error":                jsonError,
	"response_links":            responseLinks,
	"iter_lines":                iterLinesVector,
	"iter_content":              iterContentVector,
	"iter_slices":               iterSlices,
	"is_redirect":               isRedirect,
	"urllib3_redirect_location": redirectLocation,
	"raise_for_status":          raiseForStatusVector,
	"rebuild_method":            rebuildMethod,
})

// responseWith makes a response as an adapter does.
func responseWith(status int, headers requests.Headers, body io.Reader) *requests.Response {
	return requests.NewResponse(nil, status, headers, io.NopCloser(body))
}

func responseText(_ *testing.T, in input) (any, error) {
	var headers requests.Headers
	if in.present("content_type") {
		headers.Add("Content-Type", unlatin1(in.text("content_type")))
	}
	r := responseWith(200, headers, bytes.NewReader(in.bytes("content")))
	if in.present("encoding") && in.text("encoding") == "" {
		return nil, cannot("an encoding that is given and empty: here it means that none is given")
	}
	if in.has("encoding") {
		r.Encoding = in.text("encoding")
	}
	return r.Text()
}

// responseJSON compares the value: the recorded text is written by another encoder.
func responseJSON(_ *testing.T, in input) (any, error) {
	r := responseWith(200, nil, bytes.NewReader(in.bytes("content")))
	r.Encoding = in.text("encoding")
	var raw json.RawMessage
	err := r.JSON(&raw)
	return map[string]any{"json": string(raw)}, err
}

// jsonError asks for an error; its texts and offsets are the decoder's own.
func jsonError(_ *testing.T, in input) (any, error) {
	r := responseWith(200, nil, bytes.NewReader(in.bytes("content")))
	var v any
	switch err := r.JSON(&v); {
	case err == nil && bytes.HasPrefix(in.bytes("content"), []byte("\xef\xbb\xbf")):
		return nil, cannot("a byte order mark that is no error here")
	case mostDerived(errorNames(err)) != "JSONDecodeError":
		return nil, err
	}
	return nil, cannot("the wording and offsets of Python's JSON errors; the class was right")
}

func responseLinks(_ *testing.T, in input) (any, error) {
	var headers requests.Headers
	if in.present("value") {
		headers.Add("Link", unlatin1(in.text("value")))
	}
	r, err := underRequests(responseWith(200, headers, strings.NewReader("")))
	return append([]any{}, showLinks(r)...), err
}

// underRequests sends for a response that is there already, under Requests' Policy.
func underRequests(r *requests.Response) (*requests.Response, error) {
	s := requests.NewSession()
	defer s.Close()
	s.Policy = requests.PolicyRequests()
	s.Mount("http://", requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		return r, nil
	}))
	return s.Get(context.Background(), "http://h/")
}

// pieceReader gives one recorded piece a read, as a chunked body on a connection does.
type pieceReader struct{ pieces [][]byte }

func (p *pieceReader) Read(b []byte) (int, error) {
	for len(p.pieces) > 0 && len(p.pieces[0]) == 0 {
		p.pieces = p.pieces[1:]
	}
	if len(p.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.pieces[0])
	p.pieces[0] = p.pieces[0][n:]
	return n, nil
}

func (p *pieceReader) Close() error { return nil }

// Chunked and ChunkRemaining are what the HTTP adapter's bodies tell a response about their framing.
func (p *pieceReader) Chunked() bool { return true }

func (p *pieceReader) ChunkRemaining() int64 {
	if len(p.pieces) == 0 {
		return 0
	}
	return int64(len(p.pieces[0]))
}

// streamOf is a response whose body arrives in the recorded pieces, or is in memory already.
func streamOf(in input) (*requests.Response, error) {
	p := &pieceReader{}
	for _, c := range in.list("chunks") {
		piece, _, _ := textOrBytes(c)
		p.pieces = append(p.pieces, piece)
	}
	r := requests.NewResponse(nil, 200, nil, p)
	if in.has("content") {
		r = responseWith(200, nil, bytes.NewReader(in.bytes("content")))
		if _, err := r.Content(); err != nil {
			return nil, err
		}
	}
	r.Encoding = in.text("encoding")
	return r, nil
}

func iterLinesVector(_ *testing.T, in input) (any, error) {
	r, err := streamOf(in)
	if err != nil {
		return nil, err
	}
	delimiter, isText, given := in.textOrBytes("delimiter")
	decoded := in.bool("decode_unicode") && r.Encoding != ""
	switch {
	case given && isText != decoded:
		return nil, cannot("a delimiter that is %v for lines that are not", in.fields["delimiter"])
	case given && decoded:
		return lines(r.TextSplit(string(delimiter)), func(s string) any { return s })
	case given:
		return lines(r.Split(string(delimiter)), func(s string) any { return b64([]byte(s)) })
	case decoded:
		return lines(r.TextLines(), func(s string) any { return s })
	}
	return lines(r.Lines(), func(s string) any { return b64([]byte(s)) })
}

func lines(seq iter.Seq2[string, error], show func(string) any) (any, error) {
	out := []any{}
	for line, err := range seq {
		if err != nil {
			return nil, err
		}
		out = append(out, show(line))
	}
	return out, nil
}

func iterContentVector(_ *testing.T, in input) (any, error) {
	r, err := streamOf(in)
	if err != nil {
		return nil, err
	}
	size, ok := sizeOf(in)
	if !ok {
		return nil, cannot("a chunk size of %v", in.fields["chunk_size"])
	}
	if in.bool("decode_unicode") && r.Encoding != "" {
		return lines(r.TextChunks(size), func(s string) any { return s })
	}
	return lines(pieces(r, size), func(s string) any { return b64([]byte(s)) })
}

// sizeOf reads a chunk size: 1 where absent, negative for null.
func sizeOf(in input) (int, bool) {
	if !in.has("chunk_size") {
		return 1, true
	}
	if !in.present("chunk_size") {
		return -1, true
	}
	n, ok := in.fields["chunk_size"].(json.Number)
	size, err := n.Int64()
	return int(size), ok && err == nil
}

func iterSlices(_ *testing.T, in input) (any, error) {
	data, isText, _ := in.textOrBytes("data")
	if isText {
		return nil, cannot("slices of text: a body in memory is bytes")
	}
	r := responseWith(200, nil, bytes.NewReader(data))
	if _, err := r.Content(); err != nil {
		return nil, err
	}
	return lines(pieces(r, in.intOr("n", -1)), func(s string) any { return b64([]byte(s)) })
}

// located is a response with or without a Location.
func located(in input) *requests.Response {
	var headers requests.Headers
	if in.present("location") {
		headers.Add("Location", unlatin1(in.text("location")))
	}
	return responseWith(in.int("status"), headers, strings.NewReader(""))
}

func isRedirect(_ *testing.T, in input) (any, error) {
	r := located(in)
	return map[string]any{
		"is_redirect": r.IsRedirect(), "is_permanent_redirect": r.IsPermanentRedirect(), "ok": r.OK(),
	}, nil
}

// redirectLocation shows IsRedirect and Location in urllib3's three values: the Location, null for a redirect status
// without one, false for any other status.
func redirectLocation(_ *testing.T, in input) (any, error) {
	r := located(in)
	if r.IsRedirect() {
		return latin1(r.Headers.Get("Location")), nil
	}
	r.Headers.Set("Location", "/probe")
	if r.IsRedirect() {
		return nil, nil
	}
	return false, nil
}

func raiseForStatusVector(_ *testing.T, in input) (any, error) {
	reason, isText, ok := in.textOrBytes("reason")
	if !ok {
		return nil, cannot("a reason that is %v", in.fields["reason"])
	}
	r := responseWith(in.int("status"), nil, strings.NewReader(""))
	r.Reason, r.URL = latin1Bytes(reason, isText), in.text("url")
	return "ok", r.RaiseForStatus()
}

// rebuildMethod follows one redirect and looks at the method of the second request.
func rebuildMethod(t *testing.T, in input) (any, error) {
	s := newSession(t)
	s.TrustEnv = false
	var methods []string
	s.Mount("http://", requests.AdapterFunc(redirectOnce(in.int("status"), &methods)))
	p := &requests.PreparedRequest{Method: in.text("method"), URL: "http://h.test/a"}
	if _, err := s.Send(t.Context(), p, requests.SendOptions{}); err != nil {
		return nil, err
	}
	if len(methods) < 2 {
		return methods[0], nil // not followed: the method stays
	}
	return methods[1], nil
}
