package parity

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// curlCase is a command line of curl as an action, and the exchanges it makes.
type curlCase struct {
	Action    curlAction        `json:"action"`
	Files     map[string]string `json:"files"`
	Stdin     string            `json:"stdin_b64"`
	Exchanges []struct {
		Expect struct {
			Method  string      `json:"method"`
			Target  string      `json:"target"`
			Headers [][2]string `json:"headers"`
			Body    string      `json:"body_b64"`
		} `json:"expect"`
		Reply struct {
			Raw  string `json:"raw_b64"`
			Then string `json:"then"`
		} `json:"reply"`
	} `json:"exchanges"`
}

type curlAction struct {
	URLs      []string        `json:"urls"`
	Method    string          `json:"method"`
	Headers   []string        `json:"headers"`
	Data      json.RawMessage `json:"data"`
	Multipart json.RawMessage `json:"multipart"`
	Auth      *curlAuth       `json:"auth"`
	Proxy     *curlProxy      `json:"proxy"`
	Follow    bool            `json:"follow_redirects"`
	Cookies   *curlCookies    `json:"cookies"`
	Options   map[string]any  `json:"options"`
}

type curlAuth struct {
	Kind        string `json:"kind"`
	Credentials string `json:"credentials"`
	Token       string `json:"token"`
}

type curlProxy struct {
	URL         string `json:"url"`
	Credentials string `json:"credentials"`
	Kind        string `json:"auth_kind"`
	Tunnel      bool   `json:"tunnel"`
}

type curlCookies struct {
	Send []string `json:"send"`
	Load []string `json:"load_netscape_file"`
}

// TestCurlCommands does what command lines of curl do and compares the requests, header order aside.
func TestCurlCommands(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	corpus(t, "curlcmd", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "curlcmd", caseID(t, raw), raw, func(t *testing.T, c curlCase) string { return c.run(t) })
	}
}

// unlikeCurl says why an action cannot be done in the same way, "" if it can.
func (c *curlCase) unlikeCurl() string {
	a := c.Action
	for _, option := range slices.Sorted(maps.Keys(a.Options)) {
		if !slices.Contains([]string{"range", "resume_from", "data_in_query", "upload_file", "upload_stdin", "max_redirects"}, option) {
			return "curl's option " + option
		}
	}
	switch {
	case strings.ContainsAny(a.URLs[0], "{\""):
		return "URLs are encoded, and no patterns"
	case !strings.HasPrefix(a.URLs[0], "http") && strings.Contains(a.URLs[0], "://"):
		return "another protocol"
	case slices.ContainsFunc(a.Headers, func(h string) bool { return strings.HasPrefix(h, "Transfer-Encoding") }):
		return "the framing is the library's own"
	case a.Auth != nil && a.Options["upload_stdin"] != nil:
		return "an upload that can be read once: here it is an iterator, which can be read again"
	case c.asksFirst(0) && !c.challenged(0):
		return "curl sends no body before it has asked, Requests does"
	case string(a.Multipart) != "null" && len(a.Multipart) > 0:
		return "multipart bodies are those of urllib3, with vectors of their own"
	case a.Cookies != nil && len(a.Cookies.Load) > 0:
		return "cookie files are read by another room"
	case a.Options["resume_from"] != nil && a.Method != "GET", a.Options["resume_from"] != nil && a.Options["upload_file"] != nil:
		return "uploads that go on where another stopped"
	case slices.ContainsFunc(a.Headers, func(h string) bool { return strings.HasPrefix(h, "Expect") }):
		return "curl's waiting for 100 Continue"
	case a.Proxy != nil && a.Proxy.Tunnel:
		return "CONNECT for plain http"
	}
	return ""
}

func (c *curlCase) run(t *testing.T) string {
	if why := c.unlikeCurl(); why != "" {
		t.Skip(why)
	}
	server := wiretest.Start(t, wiretest.Config{Replies: c.replies(t)})
	s, options := c.session(t, server)
	for i, url := range c.Action.URLs {
		if _, err := s.Request(t.Context(), c.Action.Method, url, options(i)...); err != nil {
			t.Logf("%s: %v", url, err) // curl may have failed here, too: the requests count
		}
	}
	got := server.Requests()
	for i := range min(len(got), len(c.Exchanges)) {
		if wrong := c.compare(t, i, got[i]); wrong != "" {
			return fmt.Sprintf("request %d: %s", i+1, wrong)
		}
	}
	if len(got) != len(c.Exchanges) {
		return fmt.Sprintf("sent %d requests, want %d", len(got), len(c.Exchanges))
	}
	return ""
}

func (c *curlCase) replies(t *testing.T) []wiretest.Reply {
	var replies []wiretest.Reply
	for _, e := range c.Exchanges {
		reply := wiretest.Send(string(fromBase64(t, e.Reply.Raw)))
		reply.Close = e.Reply.Then == "close"
		replies = append(replies, reply)
	}
	return replies
}

func fromBase64(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// session is one whose connections all lead to the server, whatever host or proxy they are for.
func (c *curlCase) session(t *testing.T, server *wiretest.Server) (*requests.Session, func(i int) []requests.Option) {
	s := newSession(t)
	s.TrustEnv, s.Policy = false, requests.Policy{}
	host, port, _ := net.SplitHostPort(server.Addr())
	s.Mount("http://", requests.NewHTTPAdapter(requests.ConfigureConn(func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
		conn.Address = server.Addr()
		if conn.Proxy.Scheme != "" {
			conn.Address, conn.Proxy.Host = "", host
			conn.Proxy.Port, _ = strconv.Atoi(port)
		}
		return nil
	})))
	if n, ok := c.Action.Options["max_redirects"].(float64); ok {
		s.MaxRedirects = int(n)
	}
	s.Auth = c.auth()
	if p := c.Action.Proxy; p != nil {
		s.Proxies = requests.Proxies{"http": c.proxyURL()}
	}
	return s, func(i int) []requests.Option { return c.options(t, i) }
}

// proxyURL has the credentials in it where they need no challenge.
func (c *curlCase) proxyURL() string {
	p := c.Action.Proxy
	url := strings.TrimPrefix(p.URL, "http://")
	if p.Credentials != "" && p.Kind == "" {
		return "http://" + p.Credentials + "@" + url
	}
	return "http://" + url
}

func (c *curlCase) auth() requests.Auth {
	kind, user, password := "", "", ""
	if a := c.Action.Auth; a != nil {
		kind = a.Kind
		user, password, _ = strings.Cut(a.Credentials, ":")
	}
	var auth requests.Auth
	switch kind {
	case "basic":
		auth = requests.BasicAuth(user, password)
	case "bearer":
		auth = requests.BearerAuth(c.Action.Auth.Token)
	case "digest":
		auth = requests.DigestAuth(user, password)
	case "pick the strongest offered":
		auth = toolbelt.GuessAuth(user, password)
	}
	p := c.Action.Proxy
	if p == nil || p.Kind == "" {
		return auth
	}
	proxyUser, proxyPassword, _ := strings.Cut(p.Credentials, ":")
	forProxy := toolbelt.GuessProxyAuth("", "", proxyUser, proxyPassword)
	return requests.AuthFunc(func(p *requests.PreparedRequest) error {
		p.SetProxyCredentials(forProxy)
		p.Hooks = append(p.Hooks, forProxy.AnswerProxy)
		if auth == nil {
			return nil
		}
		return auth.Authenticate(p)
	})
}

// curlSends reads what curl takes for -b.
func curlSends(lines []string) requests.Option {
	var cookies requests.Cookies
	for _, pair := range strings.Split(strings.Join(lines, ";"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		cookies = append(cookies, [2]string{name, value})
	}
	return cookies
}

// options are the keywords of request i: of an upload only the first has the body.
func (c *curlCase) options(t *testing.T, i int) []requests.Option {
	a := c.Action
	options := []requests.Option{requests.AllowRedirects(a.Follow), curlHeaders(a.Headers)}
	if a.Cookies != nil && len(a.Cookies.Send) > 0 {
		options = append(options, curlSends(a.Cookies.Send))
	}
	if r, ok := a.Options["range"].(string); ok {
		options = append(options, requests.Headers{{"Range", "bytes=" + r}})
	}
	if r, ok := a.Options["resume_from"].(string); ok {
		options = append(options, requests.Headers{{"Range", "bytes=" + r + "-"}})
	}
	if name, ok := a.Options["upload_file"].(string); ok {
		options = append(options, requests.Body(fromBase64(t, c.Files[name])))
	}
	if a.Options["upload_stdin"] != nil {
		data := fromBase64(t, c.Stdin)
		options = append(options, requests.Body(func(yield func([]byte) bool) { yield(data) }))
	}
	return append(options, c.data(t)...)
}

func (c *curlCase) data(t *testing.T) []requests.Option {
	var data []struct{ Raw string }
	if err := json.Unmarshal(c.Action.Data, &data); err != nil && len(c.Action.Data) > 0 {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return nil
	}
	if c.Action.Options["data_in_query"] != nil {
		return []requests.Option{requests.Query(data[0].Raw)}
	}
	return []requests.Option{requests.Body(data[0].Raw), requests.OptionFunc(func(r *requests.Request) error {
		if !r.Headers.Has("Content-Type") {
			r.Headers.Add("Content-Type", "application/x-www-form-urlencoded")
		}
		return nil
	})}
}

// curlHeaders reads "name: value", and "name;" for an empty one. "name:" leaves out a header of curl's own, not of the
// user's.
func curlHeaders(lines []string) requests.Option {
	return requests.OptionFunc(func(r *requests.Request) error {
		for _, line := range lines {
			name, value, ok := strings.Cut(line, ":")
			value = strings.TrimLeft(value, " ")
			switch {
			case !ok && strings.HasSuffix(line, ";"):
				r.Headers.Add(strings.TrimSuffix(line, ";"), "")
			case ok && value == "" && !r.Headers.Has(name):
				r.WithoutHeaders = append(r.WithoutHeaders, name)
			case ok && value != "":
				r.Headers.Add(name, value)
			}
		}
		return nil
	})
}

// leftOut are the headers curl has of itself, compared only where the user gave them.
var leftOut = []string{"user-agent", "accept", "accept-encoding", "proxy-connection", "connection", "expect"}

// compare returns what is wrong with a request.
func (c *curlCase) compare(t *testing.T, i int, got wiretest.Request) string {
	want := c.Exchanges[i].Expect
	wantBody := string(fromBase64(t, want.Body))
	wantFields, gotFields := c.fields(want.Headers, want.Method), c.fields(got.Fields, got.Method)
	if c.asksFirst(i) { // curl sends no body before the challenge; Requests does
		wantBody = got.Body
		delete(gotFields, "content-length")
		delete(wantFields, "content-length")
	}
	return mismatch(
		map[string]any{"method": want.Method, "target": want.Target, "body": wantBody, "fields": toTree(t, wantFields)},
		map[string]any{"method": got.Method, "target": got.Target, "body": got.Body, "fields": toTree(t, gotFields)},
	)
}

func (c *curlCase) asksFirst(i int) bool {
	a := c.Action.Auth
	body := c.Exchanges[i].Expect.Body
	return a != nil && a.Kind == "digest" && body == "" && len(c.Action.Data) > len("null")
}

// challenged tells whether the server wants credentials for request i.
func (c *curlCase) challenged(i int) bool {
	raw, err := base64.StdEncoding.DecodeString(c.Exchanges[i].Reply.Raw)
	return err == nil && strings.HasPrefix(string(raw), "HTTP/1.1 401")
}

// fields are the headers by name. A digest is shown by its parameters, "right" in the place of the response if it is.
func (c *curlCase) fields(headers [][2]string, method string) map[string]any {
	fields := map[string]any{}
	for _, h := range headers {
		name := strings.ToLower(h[0])
		given := slices.ContainsFunc(c.Action.Headers, func(line string) bool { return strings.HasPrefix(strings.ToLower(line), name) })
		if slices.Contains(leftOut, name) && !given {
			continue
		}
		if name == "content-length" && h[1] == "0" {
			continue // Requests announces that there is no body; curl does not
		}
		fields[name] = strings.Trim(h[1], " ")
		if strings.HasPrefix(h[1], "Digest ") {
			fields[name] = c.digest(h[1], method)
		}
	}
	return fields
}

func (c *curlCase) digest(value, method string) map[string]string {
	known := credentials{}
	if a := c.Action.Auth; a != nil {
		user, password, _ := strings.Cut(a.Credentials, ":")
		known[user] = password
	}
	if p := c.Action.Proxy; p != nil {
		user, password, _ := strings.Cut(p.Credentials, ":")
		known[user] = password
	}
	params := digestParams(value)
	if known.response(method, params) == params["response"] {
		params["response"] = "right"
	}
	delete(params, "cnonce")
	return params
}
