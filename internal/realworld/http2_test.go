//go:build realworld

package realworld

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// nodeServer is an HTTP/2 server of Node's, over TLS and in the clear, in which a path is what it does.
const nodeServer = `
const http2 = require('http2'), fs = require('fs'), crypto = require('crypto');
const [secure, plain, cert, key] = process.argv.slice(2);
const big = Buffer.alloc(8 << 20, 'node');
let refused = 0;
function serve(stream, headers, flags, raw) {
  stream.on('error', () => {});
  switch (headers[':path']) {
  case '/order': // the fields as they came
    stream.respond({':status': 200});
    return stream.end(raw.join('\n'));
  case '/echo': // while it comes
    stream.respond({':status': 200});
    return stream.pipe(stream);
  case '/hints':
    stream.additionalHeaders({':status': 103, 'link': '</style.css>'});
    stream.respond({':status': 200});
    return stream.end('ok');
  case '/trailers':
    stream.respond({':status': 200}, {waitForTrailers: true});
    stream.on('wantTrailers', () => stream.sendTrailers({'x-sum': '7'}));
    return stream.end('ok');
  case '/sum': {
    const sum = crypto.createHash('sha256');
    let trailers = {};
    stream.on('trailers', t => { trailers = t; });
    stream.on('data', d => sum.update(d));
    return stream.on('end', () => setImmediate(() => {
      stream.respond({':status': 200, 'x-trailer': trailers['x-sum'] || 'none'});
      stream.end(sum.digest('hex'));
    }));
  }
  case '/big':
    stream.respond({':status': 200, 'content-length': big.length});
    return stream.end(big);
  case '/refused': // once
    if (refused++ === 0) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    stream.respond({':status': 200});
    return stream.end('ok');
  case '/away':
    stream.respond({':status': 200});
    stream.end('ok');
    return stream.session.goaway();
  case '/reset':
    stream.respond({':status': 200});
    stream.write('some');
    return setTimeout(() => stream.destroy(new Error('reset')), 50);
  case '/413':
    stream.respond({':status': 413});
    return stream.end('no');
  case '/ping': // is the client there, though it does not read?
    stream.respond({':status': 200});
    return setTimeout(() => stream.session.ping((err) => stream.end(err ? 'no' : 'pong')), 1500);
  }
  stream.respond({':status': 404});
  stream.end();
}
const options = {cert: fs.readFileSync(cert), key: fs.readFileSync(key), maxSessionMemory: 1000};
http2.createSecureServer(options).on('stream', serve).listen(Number(secure), '127.0.0.1');
http2.createServer(options).on('stream', serve).listen(Number(plain), '127.0.0.1');
`

// node runs it, and returns the URLs of its doors and how to speak to them.
func node(t *testing.T, files pki) []route {
	secure, plain := freePort(t), freePort(t)
	script := write(t, workDir(t), "server.js", nodeServer, 0o644)
	start(t, []int{secure, plain}, "node", script, fmt.Sprint(secure), fmt.Sprint(plain), files.cert, files.key)
	return []route{
		{"TLS", localhost(secure), "", overHTTP2(), false},
		{"clear", "http://" + local(plain), "", []requests.AdapterOption{requests.HTTP2PriorKnowledge()}, false},
	}
}

// TestNode speaks to Node's server.
func TestNode(t *testing.T) {
	files := newPKI(t, workDir(t))
	for _, r := range node(t, files) {
		t.Run(r.name, func(t *testing.T) {
			wiretest.NoLeak(t)
			s := r.session(t, files)
			t.Run("order", func(t *testing.T) { nodeOrder(t, r, s) })
			t.Run("responses", func(t *testing.T) { nodeResponses(t, r, s) })
			t.Run("echo", func(t *testing.T) { nodeEcho(t, r, s) })
			t.Run("uploads", func(t *testing.T) { nodeUploads(t, r, s) })
			t.Run("crowd", func(t *testing.T) { nodeCrowd(t, r, s) })
		})
	}
}

// nodeOrder: the fields arrive as they were given.
func nodeOrder(t *testing.T, r route, s *requests.Session) {
	resp, err := s.Get(t.Context(), r.url+"/order", requests.Headers{{"Zeta", "1"}, {"Alpha", "2"}, {"X-Mid", "3"}, {"Zeta", "4"}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := resp.Text()
	var got []string
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		switch lines[i] {
		case "zeta", "alpha", "x-mid", ":method", ":path":
			got = append(got, lines[i]+"="+lines[i+1])
		}
	}
	want := []string{":method=GET", ":path=/order", "zeta=1", "alpha=2", "x-mid=3", "zeta=4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// nodeResponses reads responses of every kind.
func nodeResponses(t *testing.T, r route, s *requests.Session) {
	for path, want := range map[string]string{
		"/hints":    "103 </style.css>; 200 ok",
		"/trailers": "200 ok x-sum 7",
		"/refused":  "200 ok",
		"/away":     "200 ok",
		"/413":      "413 no",
		"/missing":  "404 ",
		"/ping":     "200 pong",
		"/reset":    "200 ErrChunkedEncoding",
	} {
		var got string
		resp, err := s.Post(t.Context(), r.url+path, requests.Stream(true), requests.OnInterim(func(status int, h requests.Headers) error {
			got += fmt.Sprint(status, " ", h.Get("Link"), "; ")
			return nil
		}))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if path == "/ping" {
			time.Sleep(2 * time.Second) // meanwhile, the server asks
		}
		text, err := resp.Text()
		if got += fmt.Sprint(resp.StatusCode, " ", text); errors.Is(err, requests.ErrChunkedEncoding) {
			got += "ErrChunkedEncoding"
		} else if err != nil {
			got += err.Error()
		}
		if sum := resp.Trailers().Get("X-Sum"); sum != "" {
			got += " x-sum " + sum
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// nodeEcho sends a body that is sent back while it is sent.
func nodeEcho(t *testing.T, r route, s *requests.Session) {
	resp, err := s.Post(t.Context(), r.url+"/echo", requests.Body(io.MultiReader(strings.NewReader(string(bulkContent())))), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, resp)
	if n != bulkSize || err != nil || sha256.Sum256(bulkContent()) != [sha256.Size]byte(sum.Sum(nil)) {
		t.Errorf("%d bytes, %v", n, err)
	}
	pr, pw := io.Pipe()
	resp, err = s.Post(t.Context(), r.url+"/echo", requests.Body(pr), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		say := fmt.Sprintf("%04d", i)
		_, _ = io.WriteString(pw, say)
		heard := make([]byte, len(say))
		if _, err := io.ReadFull(resp, heard); err != nil || string(heard) != say {
			t.Fatalf("%q, %v", heard, err)
		}
	}
	_ = pw.Close()
	if rest, err := resp.Text(); rest != "" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

// nodeUploads sends bodies with trailers, and one that is refused at once.
func nodeUploads(t *testing.T, r route, s *requests.Session) {
	want := fmt.Sprintf("%x", sha256.Sum256(bulkContent()))
	resp, err := s.Do(t.Context(), &requests.Request{
		Method: "PUT", URL: r.url + "/sum", Body: io.MultiReader(strings.NewReader(string(bulkContent()))),
		Trailers: func() requests.Headers { return requests.Headers{{"X-Sum", "9"}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := resp.Text(); text != want || err != nil || resp.Headers.Get("X-Trailer") != "9" {
		t.Errorf("%q, trailer %q, %v", text, resp.Headers.Get("X-Trailer"), err)
	}
	resp, err = s.Put(t.Context(), r.url+"/413", requests.Body(bulkContent()))
	if err != nil || resp.StatusCode != 413 {
		t.Errorf("%v, %v", resp, err)
	}
}

// nodeCrowd reads large responses, many at once.
func nodeCrowd(t *testing.T, r route, s *requests.Session) {
	var all sync.WaitGroup
	for range crowdSize {
		all.Go(func() {
			resp, err := s.Get(t.Context(), r.url+"/big")
			if err != nil {
				t.Error(err)
				return
			}
			if content, err := resp.Content(); len(content) != 8<<20 || err != nil {
				t.Errorf("%d bytes, %v", len(content), err)
			}
		})
	}
	all.Wait()
}

// TestNghttpd speaks to nghttp2's server: with small windows, few streams, padding and trailers.
func TestNghttpd(t *testing.T) {
	files := newPKI(t, workDir(t))
	dir := workDir(t)
	write(t, dir, "bulk", string(bulkContent()), 0o644)
	for name, args := range map[string][]string{
		"as it is":      nil,
		"small windows": {"-w", "10", "-W", "12"},
		"few streams":   {"-m", "2"},
		"padding":       {"-b", "255"},
		"small table":   {"-c", "0", "--encoder-header-table-size=0"},
		"early":         {"--early-response"},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			args := append([]string{"-a", "127.0.0.1", "-d", dir, "--trailer=x-sum: 7"}, args...)
			start(t, []int{port}, "nghttpd", append(args, fmt.Sprint(port), files.key, files.cert)...)
			wiretest.NoLeak(t)
			r := route{"h2", localhost(port), "", overHTTP2(), false}
			s := r.session(t, files)
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { nghttpdBulk(t, r, s) })
			}
			all.Wait()
			for range 3 {
				resp, err := s.Post(t.Context(), r.url+"/bulk", requests.Body(bulkContent()[:1<<20]))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("upload: %v, %v", resp, err)
				}
			}
			if resp, err := s.Get(t.Context(), r.url+"/missing"); err != nil || resp.StatusCode != 404 {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
}

func nghttpdBulk(t *testing.T, r route, s *requests.Session) {
	resp, err := s.Get(t.Context(), r.url+"/bulk", requests.Stream(true))
	if err != nil {
		t.Error(err)
		return
	}
	sum := sha256.New()
	n, err := io.Copy(sum, resp)
	if n != bulkSize || err != nil || sha256.Sum256(bulkContent()) != [sha256.Size]byte(sum.Sum(nil)) || resp.Trailers().Get("X-Sum") != "7" {
		t.Errorf("%d bytes, %v, trailers %v", n, err, resp.Trailers())
	}
}
