package parity

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequestReader: a head that is cut is no request, wherever the cut is; a body that is cut is one, as far as it came.
func TestRequestReader(t *testing.T) {
	for _, body := range []string{"Content-Length: 4\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX: y\r\n\r\n", "\r\n"} {
		whole := "POST / HTTP/1.1\r\nHost: a\r\n" + body
		head := strings.Index(whole, "\r\n\r\n") + len("\r\n\r\n")
		for cut := range len(whole) + 1 {
			want := whole[:cut]
			if cut < head {
				want = ""
			}
			if got := string(newRequestReader(strings.NewReader(whole[:cut])).read()); got != want {
				t.Errorf("of %q came %q, want %q", whole[:cut], got, want)
			}
		}
	}
}

// TestPairs: what has no Go value is refused with a reason, and never left out.
func TestPairs(t *testing.T) {
	ff := map[string]any{"b64": "/w=="}
	for name, c := range map[string]struct {
		list    []any
		pairs   [][2]string // nil where these cannot be expressed
		headers [][2]string
		null    []string
	}{
		"text":             {[]any{[]any{"a", "é"}}, [][2]string{{"a", "é"}}, [][2]string{{"a", "\xe9"}}, nil},
		"bytes":            {[]any{[]any{"a", ff}}, [][2]string{{"a", "\xff"}}, [][2]string{{"a", "\xff"}}, nil},
		"a name of bytes":  {[]any{[]any{ff, "b"}}, [][2]string{{"\xff", "b"}}, [][2]string{{"\xff", "b"}}, nil},
		"null":             {[]any{[]any{"a", nil}, []any{"b", ""}}, [][2]string{{"b", ""}}, [][2]string{{"b", ""}}, []string{"a"}},
		"beyond Latin-1":   {[]any{[]any{"a", "€"}}, [][2]string{{"a", "€"}}, nil, nil},
		"a number":         {[]any{[]any{"b", "c"}, []any{"a", 1.5}}, nil, nil, nil},
		"a name of null":   {[]any{[]any{nil, "b"}}, nil, nil, nil},
		"half a pair":      {[]any{[]any{"a"}}, nil, nil, nil},
		"text, not a pair": {[]any{"ab"}, nil, nil, nil},
	} {
		in := input{map[string]any{"p": c.list}}
		for kind, read := range map[string]struct {
			of   func(string) ([][2]string, []string, error)
			want [][2]string
		}{"pairs": {in.pairs, c.pairs}, "headerPairs": {in.headerPairs, c.headers}} {
			got, null, err := read.of("p")
			if refused := errors.As(err, new(inexpressible)); refused != (read.want == nil) || !refused && err != nil {
				t.Errorf("%s of %s: %v", kind, name, err)
				continue
			}
			if read.want == nil {
				continue
			}
			if diff := cmp.Diff([]any{read.want, c.null}, []any{got, null}); diff != "" {
				t.Errorf("%s of %s (-want +got)\n%s", kind, name, diff)
			}
		}
	}
}

// TestSocksNames: a name is found with its trailing dot too, and an IPv4 address has four bytes, which a handshake sends.
func TestSocksNames(t *testing.T) {
	for _, c := range []struct {
		network, host string
		size          int // 0 where there is none
	}{
		{"ip4", "name.test", 4}, {"ip", "name.test.", 4}, {"ip", "six.test", 16}, {"ip", "six.test.", 16}, {"ip4", "six.test", 0}, {"ip", "name.test..", 0}, {"ip", "", 0},
	} {
		if ip, err := socksNames(c.network, c.host); len(ip) != c.size || (err != nil) != (c.size == 0) {
			t.Errorf("%s %s: %v, %v", c.network, c.host, []byte(ip), err)
		}
	}
}
