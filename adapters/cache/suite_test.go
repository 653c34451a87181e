package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mountable/requests"
)

// The published cases of github.com/http-tests/cache-tests are played where they are: in the JSON
// file that CACHE_TESTS names, or in ../shared/corpora/cachetests.json beside the repository.
// `node -e "import('./tests/index.mjs').then(m => console.log(JSON.stringify(m.default)))"`
// writes it. The rules of playing are those of test-engine/client/test.mjs there.

type suiteTest struct {
	ID          string         `json:"id"`
	Kind        string         `json:"kind"` // "" is required
	Name        string         `json:"name"`
	DependsOn   []string       `json:"depends_on"`
	CDNOnly     bool           `json:"cdn_only"`
	BrowserOnly bool           `json:"browser_only"`
	Requests    []suiteRequest `json:"requests"`
}

type suiteRequest struct {
	Setup           bool      `json:"setup"`
	SetupTests      []string  `json:"setup_tests"`
	PauseAfter      bool      `json:"pause_after"`
	ResponsePause   float64   `json:"response_pause"`
	Disconnect      bool      `json:"disconnect"`
	MagicLocations  bool      `json:"magic_locations"`
	RFC850          []string  `json:"rfc850date"`
	Method          string    `json:"request_method"`
	Headers         [][]any   `json:"request_headers"`
	Body            string    `json:"request_body"`
	Filename        string    `json:"filename"`
	QueryArg        string    `json:"query_arg"`
	ResponseStatus  []any     `json:"response_status"`
	ResponseHeaders [][]any   `json:"response_headers"`
	ResponseBody    *string   `json:"response_body"`
	Interim         [][]any   `json:"interim_responses"`
	WantType        string    `json:"expected_type"`
	WantStatus      *int      `json:"expected_status"`
	WantMethod      string    `json:"expected_method"`
	WantText        *string   `json:"expected_response_text"`
	WantHeaders     []any     `json:"expected_response_headers"`
	WantMissing     []any     `json:"expected_response_headers_missing"`
	WantSent        []any     `json:"expected_request_headers"`
	WantUnsent      []any     `json:"expected_request_headers_missing"`
	WantInterim     [][]any   `json:"expected_interim_responses"`
	CheckBody       *bool     `json:"check_body"`
	given           givenKeys // which of the keys are there
}

type givenKeys map[string]json.RawMessage

// UnmarshalJSON keeps which keys are there: null and absent differ.
func (r *suiteRequest) UnmarshalJSON(data []byte) error {
	type plain suiteRequest
	return errors.Join(json.Unmarshal(data, (*plain)(r)), json.Unmarshal(data, &r.given))
}

func (r *suiteRequest) has(key string) bool { return r.given[key] != nil }

// suiteFile finds the cases, "" if they are not there.
func suiteFile() string {
	for _, name := range []string{os.Getenv("CACHE_TESTS"), filepath.Join("..", "..", "..", "shared", "corpora", "cachetests.json")} {
		if _, err := os.Stat(name); name != "" && err == nil {
			return name
		}
	}
	return ""
}

// leftOut says why a case is not for this cache, "" if it is.
func leftOut(test *suiteTest, shared bool) string {
	switch {
	case test.CDNOnly:
		return "it is about CDN-Cache-Control"
	case test.BrowserOnly:
		return "it is about the cache mode of a browser's fetch"
	case !shared && strings.Contains(test.ID, "-shared"):
		return "it is about shared caches"
	case strings.HasSuffix(test.ID, "-Set-Cookie"):
		return "a cookie that is stored must not be set again, which could be a session that has ended"
	}
	return ""
}

// TestPublishedCases plays them for a private and for a shared cache. Those that are required
// have to pass; what is optimal, or only observed, is counted.
func TestPublishedCases(t *testing.T) {
	name := suiteFile()
	if name == "" {
		t.Skip("the cases of http-tests/cache-tests are not here: CACHE_TESTS names their file")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("private", func(t *testing.T) { playSuite(t, data, false) })
	t.Run("shared", func(t *testing.T) { playSuite(t, data, true, Shared()) })
}

func playSuite(t *testing.T, data []byte, shared bool, options ...Option) {
	var groups []struct{ Tests []*suiteTest }
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatal(err)
	}
	results := map[string]error{}
	counts := map[string]int{}
	for _, group := range groups {
		for _, test := range group.Tests {
			kind := cmp.Or(test.Kind, "required")
			if why := leftOut(test, shared); why != "" {
				counts[kind+", left out"]++
				t.Logf("left out %s: %s", test.ID, why)
				continue
			}
			err := play(t, test, options)
			results[test.ID] = err
			switch blocked := slices.ContainsFunc(test.DependsOn, func(id string) bool { return results[id] != nil }); {
			case err == nil:
				counts[kind+", passed"]++
			case kind != "required":
				counts[kind+", not met"]++
				t.Logf("%s %s: %v", kind, test.ID, err)
			case blocked:
				counts["required, of an ability that is not there"]++
				t.Logf("depends %s: %v", test.ID, err)
			default:
				t.Errorf("%s: %s: %v", test.ID, test.Name, err)
			}
		}
	}
	t.Logf("%v", counts)
}

// play runs one case with a clock of its own.
func play(t *testing.T, test *suiteTest, options []Option) (err error) {
	synctest.Test(t, func(t *testing.T) {
		p := &player{test: test}
		p.cache = New(Memory(1<<20), options...)(requests.AdapterFunc(p.serve))
		defer p.cache.Close()
		for i := range test.Requests {
			if err = p.request(t.Context(), i); err != nil {
				return
			}
			if test.Requests[i].PauseAfter {
				time.Sleep(3 * time.Second)
			}
			synctest.Wait()
		}
		err = p.checkServer()
	})
	return err
}

// player is the client and the server of one case.
type player struct {
	test      *suiteTest
	cache     requests.Adapter
	responses []*requests.Response
	seen      []served
}

type served struct {
	number  int
	method  string
	headers requests.Headers
	sent    [][2]string // to be compared with what the client has
}

// suiteBody is as long as some of the cases say.
const suiteBody = "the body of a case has 36 characters"

// --- the server

func (p *player) serve(_ context.Context, req *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	n, _ := strconv.Atoi(req.Headers.Get("Req-Num"))
	config := &p.test.Requests[n-1]
	time.Sleep(time.Duration(config.ResponsePause * float64(time.Second)))
	for _, interim := range config.Interim {
		if opts.Interim != nil {
			if err := opts.Interim(int(interim[0].(float64)), fieldsOf(interim)); err != nil {
				return nil, err
			}
		}
	}
	status := 200
	if len(config.ResponseStatus) > 0 {
		status = int(config.ResponseStatus[0].(float64))
	}
	if strings.HasSuffix(config.WantType, "validated") {
		status = p.validated(n, req)
	}
	h := requests.Headers{{"Server-Base-Url", req.Target()}, {"Server-Request-Count", strconv.Itoa(len(p.seen) + 1)},
		{"Client-Request-Count", strconv.Itoa(n)}, {"Server-Now", strconv.FormatInt(time.Now().UnixMilli(), 10)}}
	s := served{number: n, method: req.Method, headers: req.Headers.Clone()}
	for _, field := range config.ResponseHeaders {
		fixup(field, h, config)
		h.Add(field[0].(string), fmt.Sprint(field[1]))
		if len(field) < 3 || field[2] == true {
			s.sent = append(slices.DeleteFunc(s.sent, func(f [2]string) bool { return f[0] == field[0].(string) }), [2]string{field[0].(string), joinedValues(h, field[0].(string))})
		}
	}
	p.seen = append(p.seen, s)
	var numbers []string
	for _, s := range p.seen {
		numbers = append(numbers, strconv.Itoa(s.number))
	}
	h.Add("Request-Numbers", strings.Join(numbers, " "))
	for _, f := range [][2]string{{"Content-Type", "text/plain"}, {"Date", date(0)}} {
		if !h.Has(f[0]) {
			h.Add(f[0], f[1])
		}
	}
	if config.Disconnect {
		return nil, &requests.Error{Kind: requests.ErrConnection, Request: req, Detail: "disconnected"}
	}
	body := ""
	if status != 204 && status != 304 && req.Method != "HEAD" {
		if body = suiteBody; config.ResponseBody != nil {
			body = *config.ResponseBody
		}
		if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil {
			body = body[:min(n, len(body))]
		}
	}
	return requests.NewResponse(req, status, h, io.NopCloser(strings.NewReader(body))), nil
}

func (p *player) validated(n int, req *requests.PreparedRequest) int {
	previous := p.test.Requests[n-2].ResponseHeaders
	for field, name := range map[string]string{"Last-Modified": "If-Modified-Since", "ETag": "If-None-Match"} {
		if value := valueOf(previous, field); value != "" && req.Headers.Get(name) == value {
			return 304
		}
	}
	return 999
}

func valueOf(fields [][]any, name string) (value string) {
	for _, f := range fields {
		if strings.EqualFold(f[0].(string), name) {
			value = fmt.Sprint(f[1])
		}
	}
	return value
}

func fieldsOf(interim []any) (h requests.Headers) {
	if len(interim) > 1 {
		for _, f := range interim[1].([]any) {
			h.Add(f.([]any)[0].(string), f.([]any)[1].(string))
		}
	}
	return h
}

// fixup fills in a date that is given in seconds from now, and the server's URL.
func fixup(field []any, response requests.Headers, config *suiteRequest) {
	name := strings.ToLower(field[0].(string))
	seconds, isNumber := field[1].(float64)
	switch name {
	case "date", "expires", "last-modified", "if-modified-since", "if-unmodified-since":
		if isNumber {
			now, _ := strconv.ParseInt(response.Get("Server-Now"), 10, 64)
			layout := http.TimeFormat
			if slices.Contains(config.RFC850, name) {
				layout = "Monday, 02-Jan-06 15:04:05 GMT"
			}
			field[1] = time.UnixMilli(now).Add(time.Duration(seconds) * time.Second).UTC().Format(layout)
		}
	case "location", "content-location":
		if base := response.Get("Server-Base-Url"); config.MagicLocations {
			if field[1] = strings.TrimSuffix(base+"/"+fmt.Sprint(field[1]), "/"); strings.HasSuffix(field[1].(string), "/"+base) {
				field[1] = base
			}
		}
	}
}

func joinedValues(h requests.Headers, name string) string {
	return strings.Join(h.Values(name), ", ")
}

// --- the client

func (p *player) request(ctx context.Context, i int) error {
	config := &p.test.Requests[i]
	var interim [][]any
	req := &requests.Request{Method: cmp.Or(config.Method, "GET"), URL: "http://origin.test/test/" + p.test.ID}
	if config.Filename != "" {
		req.URL += "/" + config.Filename
	}
	if config.QueryArg != "" {
		req.URL += "?" + config.QueryArg
	}
	for _, f := range config.Headers {
		field := slices.Clone(f)
		if i > 0 {
			fixup(field, p.responses[i-1].Headers, config)
		}
		req.Headers.Add(field[0].(string), fmt.Sprint(field[1]))
	}
	req.Headers.Add("Req-Num", strconv.Itoa(i+1))
	if config.Body != "" {
		req.Body = config.Body
	}
	prepared, err := req.Prepare()
	if err != nil {
		return err
	}
	opts := requests.SendOptions{}
	if config.has("expected_interim_responses") {
		opts.Interim = func(status int, h requests.Headers) error {
			interim = append(interim, []any{float64(status)})
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := p.cache.Send(ctx, prepared, opts)
	if err != nil {
		return err
	}
	body, err := r.Text()
	if err != nil {
		return err
	}
	p.responses = append(p.responses, r)
	return errors.Join(p.checkResponse(i, r), checkInterim(config, interim), checkText(config, r, body))
}
