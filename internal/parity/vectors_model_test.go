package parity

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"super_len":             superLen,
	"default_headers":       defaultHeaders,
	"case_insensitive_dict": headerOps,
})

func init() {
	recordedForms["default_headers"] = func(tree any) any {
		o, _ := tree.(map[string]any)
		delete(o, "user_agent_named") // the caller writes his own name
		if text, _ := o["accept_encoding_requests"].(string); !strings.Contains(text, "br, zstd") {
			delete(o, "accept_encoding_requests") // of a build without codecs
			delete(o, "accept_encoding_urllib3")
		}
		setIfPresent(o, "user_agent", "${ua}")
		pairs, _ := o["headers"].([]any)
		for i, p := range pairs {
			pairs[i] = maskProduct(p.([]any))
		}
		return o
	}
}

// superLen prepares a request with the object as its body and asks for the length; an unknown one is recorded as 0.
func superLen(t *testing.T, in input) (any, error) {
	body, err := lengthBody(t, in)
	if err != nil {
		return nil, err
	}
	p, err := (&requests.Request{Method: "POST", URL: "http://h.test/", Body: body}).Prepare()
	if err != nil {
		return nil, err
	}
	return max(p.ContentLength(), 0), nil
}

func lengthBody(t *testing.T, in input) (any, error) {
	if special := in.text("special"); special != "" {
		return specialBody(t, in, special)
	}
	switch v := in.typed(t, "obj").(type) {
	case string, []byte:
		return v, nil
	case *fileValue:
		return v.open(t)
	case *textFileValue:
		return v.open(), nil
	default:
		return nil, cannot("the length of a body of type %T", v)
	}
}

// lengthReader tells its length, and perhaps fails to tell its position.
type lengthReader struct {
	io.Reader
	length int
	seek   error
}

func (l *lengthReader) Len() int { return l.length }

func (l *lengthReader) Seek(int64, int) (int64, error) { return 0, l.seek }

func specialBody(t *testing.T, in input, special string) (any, error) {
	name, arg, _ := strings.Cut(special, ":")
	n, _ := strconv.Atoi(arg)
	plain := strings.NewReader("x")
	switch name {
	case "len_attr", "__len__":
		return &sized{plain, n}, nil
	case "tell_raises_with_len":
		return &lengthReader{plain, n, fmt.Errorf("no position")}, nil
	case "tell_raises_only":
		return &awkward{Reader: plain}, nil
	case "tell_none_no_seek", "seek_raises":
		return &awkward{Reader: plain, tells: strings.NewReader("x")}, nil
	case "tell_beyond":
		return beyond(arg)
	case "fileno_file":
		return lengthFile(t, in)
	case "generator":
		return once([]wireText{wireText("x")}), nil
	case "pipe":
		return pipeEnd(t)
	}
	return nil, cannot("an object with %s", special)
}

// beyond is a reader whose position lies behind its end.
func beyond(arg string) (any, error) {
	length, position, _ := strings.Cut(arg, ":")
	n, _ := strconv.Atoi(length)
	at, _ := strconv.Atoi(position)
	r := bytes.NewReader(make([]byte, n))
	_, err := r.Seek(int64(at), io.SeekStart)
	return r, err
}

// lengthFile opens a file; how Python opened it makes no difference to its bytes.
func lengthFile(t *testing.T, in input) (any, error) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(in.text("content")), 0o600); err != nil {
		return nil, err
	}
	at := in.int("pos")
	if strings.HasPrefix(in.text("mode"), "a") {
		at = len(in.text("content")) // opened for appending
	}
	f, err := openAt(path, int64(at))
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func pipeEnd(t *testing.T) (any, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, nil
}

// defaultHeaders compares with the recording for the codecs that this library has: all of them, always.
func defaultHeaders(t *testing.T, in input) (any, error) {
	switch installed := in.texts("installed"); len(installed) {
	case 2:
		return map[string]any{
			"accept_encoding_requests": product.acceptEncoding,
			"accept_encoding_urllib3":  strings.ReplaceAll(product.acceptEncoding, " ", ""),
		}, nil
	case 0:
		pairs := maskAcceptEncoding(requests.DefaultHeaders())
		agent := pairs[0][1]
		if agent == product.userAgent {
			agent, pairs[0][1] = "${ua}", "${ua}"
		}
		return map[string]any{"headers": pairs, "user_agent": agent}, nil
	default:
		return nil, cannot("a build without %v", installed)
	}
}

// headerOps plays the operations of a CaseInsensitiveDict on Headers.
func headerOps(_ *testing.T, in input) (any, error) {
	var h requests.Headers
	pairs, err := notNull(in.pairs("init"))
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		h.Set(p[0], p[1])
	}
	out := []any{}
	for _, v := range in.list("ops") {
		op := v.([]any)
		args := jarArgs{op[1:]}
		f := headerDictOps[op[0].(string)]
		if f == nil || len(op) > 1 && !isText(op[1]) && op[0] != "update" {
			return nil, cannot("the operation %v on Headers", op)
		}
		if !isASCII([]byte(args.text(0))) {
			return nil, cannot("the header name %q, whose letter case is not ASCII's", args.text(0))
		}
		got := f(&h, args)
		if reason, ok := got.(inexpressible); ok {
			return nil, reason
		}
		out = append(out, got)
	}
	return out, nil
}

var headerDictOps = map[string]func(h *requests.Headers, a jarArgs) any{
	"len":    func(h *requests.Headers, _ jarArgs) any { return len(*h) },
	"in":     func(h *requests.Headers, a jarArgs) any { return h.Has(a.text(0)) },
	"set":    func(h *requests.Headers, a jarArgs) any { h.Set(a.text(0), a.text(1)); return nil },
	"clear":  func(h *requests.Headers, _ jarArgs) any { *h = nil; return nil },
	"items":  func(h *requests.Headers, _ jarArgs) any { return pairsTree(*h) },
	"copy":   func(h *requests.Headers, _ jarArgs) any { return pairsTree(h.Clone()) },
	"keys":   func(h *requests.Headers, _ jarArgs) any { return headerColumn(*h, 0) },
	"values": func(h *requests.Headers, _ jarArgs) any { return headerColumn(*h, 1) },
	"lower_items": func(h *requests.Headers, _ jarArgs) any {
		lower := h.Clone()
		for i := range lower {
			lower[i][0] = strings.ToLower(lower[i][0])
		}
		return pairsTree(lower)
	},
	"get": func(h *requests.Headers, a jarArgs) any { return getOr(h, a, "!KeyError") },
	"getdefault": func(h *requests.Headers, a jarArgs) any {
		if len(a.args) < 2 {
			return getOr(h, a, nil)
		}
		return getOr(h, a, a.args[1])
	},
	"del": func(h *requests.Headers, a jarArgs) any {
		if !h.Has(a.text(0)) {
			return "!KeyError"
		}
		h.Del(a.text(0))
		return nil
	},
	"pop": func(h *requests.Headers, a jarArgs) any {
		v := getOr(h, a, "!KeyError")
		h.Del(a.text(0))
		return v
	},
	"setdefault": func(h *requests.Headers, a jarArgs) any {
		if !h.Has(a.text(0)) {
			h.Set(a.text(0), a.text(1))
		}
		return h.Get(a.text(0))
	},
	"update": func(h *requests.Headers, a jarArgs) any {
		pairs, err := notNull(input{map[string]any{"p": a.args[0]}}.pairs("p"))
		if err != nil {
			return err
		}
		for _, p := range pairs {
			h.Set(p[0], p[1])
		}
		return nil
	},
}

func getOr(h *requests.Headers, a jarArgs, absent any) any {
	if !h.Has(a.text(0)) {
		return absent
	}
	return h.Get(a.text(0))
}

func headerColumn(h requests.Headers, n int) []string {
	out := []string{}
	for _, f := range h {
		out = append(out, f[n])
	}
	return out
}
