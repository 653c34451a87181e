package parity

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"testing"

	"github.com/mountable/requests"
)

// response is the one that a step is about: number `of`, or the last one; nil if it never came.
func (r *runner) response(s *step) *requests.Response {
	n := len(r.responses) - 1
	if s.Of != nil {
		n = *s.Of
	}
	if n < 0 || n >= len(r.responses) {
		return nil
	}
	return r.responses[n]
}

// onResponse makes a step of a function of a response.
func onResponse(f func(resp *requests.Response, s *step) (map[string]any, error)) stepFunc {
	return func(r *runner, _ *testing.T, s *step) (map[string]any, error) {
		resp := r.response(s)
		if resp == nil {
			return nil, fmt.Errorf("step %s: the response it is about never came", s.Op)
		}
		return f(resp, s)
	}
}

// iterContent collects the pieces of the body. The default size is 1, as in Requests; null takes them as they come.
func iterContent(resp *requests.Response, s *step) (map[string]any, error) {
	size, err := chunkSize(s.ChunkSize, 1)
	if err != nil {
		return nil, err
	}
	if s.Unicode && resp.Encoding != "" {
		return collect(resp.TextChunks(size), asText, s.Limit)
	}
	if s.Limit == nil {
		return collect(resp.Chunks(size), asBytes, nil)
	}
	return collect(pieces(resp, size), asBytes, s.Limit)
}

// pieces are those of Chunks, but leaving the loop early leaves the response open.
func pieces(resp *requests.Response, size int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for {
			chunk, err := resp.ReadChunk(size)
			if err == io.EOF || !yield(string(chunk), err) || err != nil {
				return
			}
		}
	}
}

// iterLines collects lines. The size of the blocks read has no influence here, and is ignored.
func iterLines(resp *requests.Response, s *step) (map[string]any, error) {
	if _, err := chunkSize(s.ChunkSize, 512); err != nil {
		return nil, err
	}
	switch {
	case s.Delimiter != nil:
		return collect(resp.Split(string(*s.Delimiter)), asBytes, s.Limit)
	case s.Unicode && resp.Encoding != "":
		return collect(resp.TextLines(), asText, s.Limit)
	}
	return collect(resp.Lines(), asBytes, s.Limit)
}

func asText(s string) any  { return map[string]any{"text": s} }
func asBytes(s string) any { return latin1(s) }

// collect gathers what a sequence gives until an error or the limit.
func collect[T ~string | ~[]byte](seq iter.Seq2[T, error], show func(string) any, limit *int) (map[string]any, error) {
	items := []any{}
	out := map[string]any{"items": items}
	for item, err := range seq {
		if err != nil {
			return out, err
		}
		items = append(items, show(string(item)))
		out["items"] = items
		if limit != nil && len(items) >= *limit {
			break
		}
	}
	return out, nil
}

// chunkSize reads a chunk size; null is a negative one in Go.
func chunkSize(raw json.RawMessage, absent int) (int, error) {
	var n int
	switch {
	case raw == nil:
		return absent, nil
	case isNull(raw):
		return -1, nil
	case json.Unmarshal(raw, &n) != nil:
		return 0, cannot("chunk size %s", raw)
	}
	return n, nil
}

func rawRead(resp *requests.Response, s *step) (map[string]any, error) {
	var src io.Reader = resp.Raw
	if s.Decode != nil && *s.Decode {
		src = resp
	}
	if s.Amt != nil {
		src = io.LimitReader(src, int64(*s.Amt))
	}
	data, err := io.ReadAll(src)
	if err != nil {
		return nil, err
	}
	return map[string]any{"data": latin1(data)}, nil
}

func content(resp *requests.Response, s *step) (map[string]any, error) {
	data, err := resp.Content()
	if err != nil {
		return nil, err
	}
	return map[string]any{"content": latin1(data)}, nil
}

func textOf(resp *requests.Response, s *step) (map[string]any, error) {
	text, err := resp.Text()
	if err != nil {
		return nil, err
	}
	return map[string]any{"text": text}, nil
}

func jsonOf(resp *requests.Response, s *step) (map[string]any, error) {
	var v any
	if err := resp.JSON(&v); err != nil {
		return nil, err
	}
	return map[string]any{"json": v}, nil
}

func setEncoding(resp *requests.Response, s *step) (map[string]any, error) {
	resp.Encoding = value(s.Value)
	return nil, nil
}

func apparentEncoding(resp *requests.Response, s *step) (map[string]any, error) {
	return map[string]any{"apparent_encoding": resp.ApparentEncoding()}, nil
}

func raiseForStatus(resp *requests.Response, s *step) (map[string]any, error) {
	return nil, resp.RaiseForStatus()
}

func closeResponse(resp *requests.Response, s *step) (map[string]any, error) {
	return nil, resp.Close()
}
