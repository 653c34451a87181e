package requests_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// bound is a limit on what a server sends. Just what it allows passes, one more does not.
type bound struct {
	name   string
	most   int
	reply  func(n int) string // that has n of it
	change []requests.AdapterOption
	call   []requests.Option
}

const oneHead = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"

// fieldsOf is n fields.
func fieldsOf(n int) string { return strings.Repeat("X: y\r\n", n) }

// headOf is a whole head of n bytes.
func headOf(n int) string {
	return oneHead + "X: " + strings.Repeat("y", n-len(oneHead)-len("X: \r\n\r\n")) + "\r\n\r\n"
}

func trailersOf(n int) string {
	const rest = "X: \r\n\r\n"
	return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("y", n-len(rest)) + "\r\n\r\n"
}

func interimOf(n int) string {
	return strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", n) + oneHead + "\r\n"
}

func plainOf(n int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
}

// codedOf is a body in n content codings.
func codedOf(n int) string {
	data, list := []byte("x"), make([]string, n)
	for i := range n {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(data)
		z.Close()
		data, list[i] = b.Bytes(), "gzip"
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", strings.Join(list, ", "), len(data), data)
}

// chunkLineOf has a chunk size line of n bytes, without its end.
func chunkLineOf(n int) string {
	return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x;", 4*n) + strings.Repeat("e", n-len(fmt.Sprintf("%x;", 4*n))) + "\r\n" + strings.Repeat("d", 4*n) + "\r\n0\r\n\r\n"
}

// share is the i-th of so many shares of n, which differ by one at most.
func share(n, shares, i int) int { return (n + i) / shares }

// extensionsOf has chunks of ten bytes whose extensions are n bytes longer than the data.
func extensionsOf(n int) string {
	const chunks, data = 5, 10
	text := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for i := range chunks {
		text += fmt.Sprintf("%x%s\r\n%s\r\n", data, strings.Repeat(";", data+share(n, chunks, i)), strings.Repeat("d", data))
	}
	return text + "0\r\n\r\n"
}

// interimBytesOf has interim responses of n bytes together.
func interimBytesOf(n int) string {
	const responses = 4
	var text string
	for i := range responses {
		head := "HTTP/1.1 102 Processing\r\nX: "
		text += head + strings.Repeat("y", share(n, responses, i)-len(head)-len("\r\n\r\n")) + "\r\n\r\n"
	}
	return text + oneHead + "\r\n"
}

var bounds = []bound{
	{"head, bytes", 256 << 10, headOf, nil, nil},
	{"head, bytes, changed", 5000, headOf, []requests.AdapterOption{requests.HeadLimits(5000, 0, 0, 0)}, nil},
	{"head, fields", 1000, func(n int) string { return oneHead + fieldsOf(n-1) + "\r\n" }, nil, nil},
	{"head, fields, changed", 50, func(n int) string { return oneHead + fieldsOf(n-1) + "\r\n" }, []requests.AdapterOption{requests.HeadLimits(0, 50, 0, 0)}, nil},
	{"interim", 20, interimOf, nil, nil},
	{"interim, changed", 3, interimOf, []requests.AdapterOption{requests.HeadLimits(0, 0, 3, 0)}, nil},
	{"interim, bytes", 256 << 10, interimBytesOf, nil, nil},
	{"trailers, bytes", 64 << 10, trailersOf, nil, nil},
	{"trailers, bytes, changed", 500, trailersOf, []requests.AdapterOption{requests.HeadLimits(0, 0, 0, 500)}, nil},
	{"trailers, fields", 1000, func(n int) string {
		return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + fieldsOf(n) + "\r\n"
	}, nil, nil},
	{"chunk line", 4 << 10, chunkLineOf, nil, nil},
	{"chunk extensions", 16 << 10, extensionsOf, nil, nil},
	{"codings", 5, codedOf, nil, nil},
	{"body, changed", 1000, plainOf, nil, []requests.Option{requests.Limits{MaxBody: 1000}}},
}

// TestBounds: n-1 and n of each pass, n+1 is an error, and a bound can be changed where
// docs/security.md says.
func TestBounds(t *testing.T) {
	for _, b := range bounds {
		for _, n := range []int{b.most - 1, b.most, b.most + 1} {
			server := wiretest.Origin(t, wiretest.Send(b.reply(n)))
			s := newSession(t)
			s.Mount("http://", requests.NewHTTPAdapter(b.change...))
			if _, err := s.Get(t.Context(), server.URL("/"), b.call...); (err == nil) != (n <= b.most) {
				t.Errorf("%s: %d of %d: %v", b.name, n, b.most, err)
			}
			server.Close()
		}
	}
}

// TestBoundsOfCookies: a cookie, those of a response, those of a domain.
func TestBoundsOfCookies(t *testing.T) {
	for _, c := range []struct {
		name       string
		most       int
		fields     func(n int) [][2]string
		kept, over int // of n, and of one more
	}{
		{"bytes of one", 4096, func(n int) [][2]string { return [][2]string{{"Set-Cookie", "n=" + strings.Repeat("v", n-1)}} }, 1, 0},
		{"of a domain", 180, func(n int) (all [][2]string) {
			for i := range n {
				all = append(all, [2]string{"Set-Cookie", fmt.Sprintf("n%d=v", i)})
			}
			return all
		}, 180, 180},
		{"of a response", 256, func(n int) (all [][2]string) {
			for range n - 1 {
				all = append(all, [2]string{"Set-Cookie", "same=v"})
			}
			return append(all, [2]string{"Set-Cookie", "last=v"})
		}, 2, 1},
	} {
		for _, n := range []int{c.most - 1, c.most, c.most + 1} {
			server := wiretest.Origin(t, wiretest.Text(200, "", c.fields(n)...))
			s := newSession(t)
			if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
				t.Fatal(err)
			}
			want := c.kept
			switch {
			case n > c.most:
				want = c.over
			case n < c.most && c.name == "of a domain":
				want = n
			}
			if got := s.Cookies.Len(); got != want {
				t.Errorf("%s: %d of %d: %d kept, want %d", c.name, n, c.most, got, want)
			}
			server.Close()
		}
	}
}

// TestBoundOfRedirects: as many as MaxRedirects are followed.
func TestBoundOfRedirects(t *testing.T) {
	l := lane{newSite(t), "direct", "http", false, "Session"}
	for _, most := range []int{30, 3} {
		for _, n := range []int{most - 1, most, most + 1} {
			left := n
			l.site.answering(func(w http.ResponseWriter, r *http.Request) {
				if left--; left >= 0 {
					http.Redirect(w, r, "/", http.StatusFound)
				}
			})
			s := l.session(t)
			s.MaxRedirects = most
			if _, err := s.Get(t.Context(), l.at("example.com", "/")); (err == nil) != (n <= most) {
				t.Errorf("%d of %d: %v", n, most, err)
			}
		}
	}
}
