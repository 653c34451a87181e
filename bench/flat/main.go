// Flat counts the instructions of a small GET as a session grows: mounted prefixes, hosts that it
// has connections to, cookies of other sites, and paths of one site. It runs itself under valgrind,
// whose counts no other program changes, with some requests and with some more, and divides the
// difference:
//
//	cd bench && go run ./flat
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/mountable/requests"
)

const (
	few, many = 2000, 4000   // requests
	small     = 10           // of what grows
	large     = small * 1000 // the same, grown
)

var grown = []struct {
	name string
	add  func(s *requests.Session, i int)
}{
	{"mounted prefixes", func(s *requests.Session, i int) {
		s.Mount(fmt.Sprintf("http://host%d.test/api/", i), canned())
	}},
	{"hosts with a connection", func(s *requests.Session, i int) { get(s, fmt.Sprintf("http://host%d.test/", i)) }},
	{"cookies of other sites", func(s *requests.Session, i int) {
		set(s, requests.Cookie{Name: "a", Value: "1", Domain: fmt.Sprintf("host%d.test", i), Path: "/"})
	}},
	{"paths of the site, asked before", func(s *requests.Session, i int) { get(s, fmt.Sprintf("%s/%d", site, i)) }},
}

const site = "http://site.test/path"

func main() {
	if len(os.Args) == 4 {
		kind, _ := strconv.Atoi(os.Args[1])
		size, _ := strconv.Atoi(os.Args[2])
		count, _ := strconv.Atoi(os.Args[3])
		run(kind, size, count)
		return
	}
	fmt.Printf("| instructions of a GET with | %d | %d | |\n| --- | --- | --- | --- |\n", small, large)
	for kind, g := range grown {
		before, after := perRequest(kind, small), perRequest(kind, large)
		fmt.Printf("| %s | %d | %d | %.3f |\n", g.name, before, after, float64(after)/float64(before))
	}
}

// perRequest is what one request more costs.
func perRequest(kind, size int) int {
	return (counted(kind, size, many) - counted(kind, size, few)) / (many - few)
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// counted runs this program under valgrind and returns its instructions.
func counted(kind, size, count int) int {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", self, strconv.Itoa(kind), strconv.Itoa(size), strconv.Itoa(count))
	// Without garbage collection and on one processor, the same requests take the same instructions.
	cmd.Env = append(os.Environ(), "GOGC=off", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1") // valgrind does not bear the signals
	out, err := cmd.CombinedOutput()
	m := collected.FindSubmatch(out)
	if err != nil || m == nil {
		log.Fatalf("valgrind: %v\n%s", err, out)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// run makes a session of the size, and sends the requests.
func run(kind, size, count int) {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Mount("http://", canned())
	set(s, requests.Cookie{Name: "session", Value: "1", Domain: "site.test", Path: "/"})
	for i := range size {
		grown[kind].add(s, i)
	}
	for range count {
		get(s, site)
	}
}

func get(s *requests.Session, url string) {
	if r, err := s.Get(context.Background(), url); err != nil || r.StatusCode != 200 {
		log.Fatal(url, r, err)
	}
}

func set(s *requests.Session, c requests.Cookie) {
	if err := s.Cookies.Set(c); err != nil {
		log.Fatal(err)
	}
}

var dial = requests.DialFunc(func(context.Context, string, string) (net.Conn, error) { return &conn{}, nil })

// canned is an adapter whose connections make no system call.
func canned() *requests.HTTPAdapter {
	return requests.NewHTTPAdapter(requests.PoolConnections(2*large), requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Dial = &dial
		return nil
	}))
}

const response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npong"

// conn answers each write at once.
type conn struct {
	net.Conn
	rest string
}

func (c *conn) Write(b []byte) (int, error) {
	c.rest = response
	return len(b), nil
}

func (c *conn) Read(b []byte) (int, error) {
	if c.rest == "" {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *conn) Close() error                     { return nil }
func (c *conn) LocalAddr() net.Addr              { return nil }
func (c *conn) RemoteAddr() net.Addr             { return nil }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
