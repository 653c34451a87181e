package script

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mountable/requests/internal/wiretest"
)

// servers are those of one script, in the order they were started.
type servers struct {
	names   []string
	running []*wiretest.Server
}

func serversOf(ts *testscript.TestScript) *servers {
	return ts.Value(serversKey{}).(*servers)
}

// add makes a server known by its name: its address is in the variable of that name from now on.
func (s *servers) add(ts *testscript.TestScript, name string, server *wiretest.Server) {
	s.names, s.running = append(s.names, name), append(s.running, server)
	ts.Setenv(name, server.Addr())
	ts.Setenv(name+"_port", fmt.Sprint(server.Port()))
}

func (s *servers) find(ts *testscript.TestScript, name string) *wiretest.Server {
	for i, known := range s.names {
		if known == name {
			return s.running[i]
		}
	}
	ts.Fatalf("there is no server %q", name)
	return nil
}

// tb lets wiretest's servers belong to a script.
type tb struct {
	testing.TB
	ts *testscript.TestScript
}

func (t tb) Helper()                   {}
func (t tb) Cleanup(f func())          { t.ts.Defer(f) }
func (t tb) Fatal(args ...any)         { t.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (t tb) Fatalf(f string, a ...any) { t.ts.Fatalf(f, a...) }

// parse reads a command's flags; the name comes first.
func parse(ts *testscript.TestScript, flags *flag.FlagSet, args []string) (name string, rest []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: %s name [flags] …", flags.Name())
	}
	flags.SetOutput(io.Discard)
	ts.Check(flags.Parse(args[1:]))
	return args[0], flags.Args()
}

// serve starts an origin that answers 200 "ok", or with the given files, the last of them for ever. A file is written
// with \n; it becomes \r\n in the head and in a chunked body. Content-Length is added where the head says nothing about
// the body.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	kind := flags.String("tls", "", "good, expired, wrong-host or client: a TLS server, the last asking for a certificate")
	name, files := parse(ts, flags, args)
	config := wiretest.Config{}
	ca := wiretest.TestCA()
	switch *kind {
	case "":
	case "good":
		config.TLS = ca.Server()
	case "expired":
		config.TLS = ca.Expired()
	case "wrong-host":
		config.TLS = ca.WrongHost()
	case "client":
		config.TLS = ca.ClientAuth()
	default:
		ts.Fatalf("serve: no kind of TLS: %q", *kind)
	}
	for _, f := range files {
		config.Replies = append(config.Replies, wiretest.Send(reply(ts.ReadFile(f))))
	}
	serversOf(ts).add(ts, name, wiretest.Start(tb{ts: ts}, config))
}

func reply(text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	body = strings.TrimSuffix(body, "\n")
	head = strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n")
	switch {
	case strings.Contains(head, "Transfer-Encoding:"):
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n"
	case !strings.Contains(head, "Content-Length:"):
		head += fmt.Sprintf("\r\nContent-Length: %d", len(body))
	}
	return head + "\r\n\r\n" + body
}

// proxy starts a proxy. What comes in absolute form it answers itself, "through NAME"; CONNECT it takes to the server
// -to names, wherever the target is, or else to the target.
func proxy(ts *testscript.TestScript, _ bool, args []string) {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	to := flags.String("to", "", "the server behind every CONNECT")
	secure := flags.Bool("tls", false, "an https proxy")
	socks := flags.Bool("socks", false, "a SOCKS5 proxy")
	user := flags.String("user", "", "user:password that it asks for")
	name, _ := parse(ts, flags, args)
	route := wiretest.Direct
	if *to != "" {
		route = wiretest.To(serversOf(ts).find(ts, *to))
	}
	if *socks {
		login, password, _ := strings.Cut(*user, ":")
		serversOf(ts).add(ts, name, wiretest.StartSOCKS5(tb{ts: ts}, wiretest.SOCKS5{User: login, Password: password, Route: route}))
		return
	}
	config := wiretest.Config{Route: route, Handler: forward(name, *user)}
	if *secure {
		config.TLS = wiretest.TestCA().Server()
	}
	serversOf(ts).add(ts, name, wiretest.Start(tb{ts: ts}, config))
}

// forward is what an HTTP proxy does, with credentials or without.
func forward(name, user string) func(*wiretest.Request) wiretest.Reply {
	login, password, _ := strings.Cut(user, ":")
	check := http.Request{Header: http.Header{}}
	check.SetBasicAuth(login, password)
	return func(r *wiretest.Request) wiretest.Reply {
		switch {
		case user != "" && r.Get("Proxy-Authorization") != check.Header.Get("Authorization"):
			return wiretest.Text(407, "who are you?", [2]string{"Proxy-Authenticate", `Basic realm="proxy"`})
		case r.Method == "CONNECT":
			return wiretest.Send("HTTP/1.1 200 Connection established\r\n\r\n")
		}
		return wiretest.Text(200, "through "+name)
	}
}

// received writes the requests a server has had so far into a file.
func received(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: received name file")
	}
	s := serversOf(ts)
	var b strings.Builder
	for _, r := range s.find(ts, args[0]).Requests() {
		if r.ClientCert != "" {
			fmt.Fprintf(&b, "# client certificate: %s\n", r.ClientCert)
		}
		b.WriteString(s.mask(&r))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

var version = regexp.MustCompile(`go-requests/\S+`)

// mask is a request as it was sent, but for what differs from run to run: ports become the names of their servers, a
// boundary becomes "BOUNDARY". Line ends are \n, and there is one at the end.
func (s *servers) mask(r *wiretest.Request) string {
	var pairs []string
	for i, server := range s.running {
		port := fmt.Sprint(":", server.Port())
		pairs = append(pairs, server.Addr(), s.names[i], port, ":"+s.names[i])
	}
	if _, boundary, ok := strings.Cut(r.Get("Content-Type"), "boundary="); ok {
		pairs = append(pairs, boundary, "BOUNDARY")
	}
	text := strings.NewReplacer(append(pairs, "\r\n", "\n")...).Replace(r.Raw)
	return version.ReplaceAllString(strings.TrimRight(text, "\n"), "go-requests/VERSION") + "\n"
}

// silent fails if a server has been connected to.
func silent(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		if n := serversOf(ts).find(ts, name).Accepted(); n != 0 {
			ts.Fatalf("%s has had %d connections", name, n)
		}
	}
}
