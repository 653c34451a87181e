package requests_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// User is what the examples' server keeps.
type User struct {
	Name string `json:"name"`
	Age  int    `json:"age,omitempty"`
}

// example is a server that tells what it was asked: the method and the path with its query, the header fields that
// begin with X-, the type and the size of the body. It also serves a user as JSON, three lines of text, and a 404.
func example() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, " ", r.URL)
		for _, name := range []string{"X-Team", "X-Trace"} {
			if value := r.Header.Get(name); value != "" {
				fmt.Fprintf(w, ", %s: %s", name, value)
			}
		}
		if len(body) > 0 {
			fmt.Fprintf(w, ", %d bytes", r.ContentLength)
		}
		if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "" {
			fmt.Fprintf(w, " of %s", kind)
		}
	})
	mux.HandleFunc("/users/ada", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"name": "Ada", "age": 36}`) })
	mux.HandleFunc("/lines", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "one\ntwo\nthree\n") })
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.Handle("/old", http.RedirectHandler("/new", http.StatusMovedPermanently))
	return httptest.NewServer(mux)
}

func Example() {
	server := example()
	defer server.Close()
	ctx := context.Background()

	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("X-Team", "search")

	r, err := s.Get(ctx, server.URL+"/users", requests.Params{{"q", "go"}, {"page", "2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(r.StatusCode, text, err)

	r, err = s.Get(ctx, server.URL+"/users/ada")
	if err != nil {
		fmt.Println(err)
		return
	}
	var user User
	err = r.JSON(&user)
	fmt.Println(user, err)
	// Output:
	// 200 GET /users?q=go&page=2, X-Team: search <nil>
	// {Ada 36} <nil>
}

// The functions of the package are for a single request.
func ExampleGet() {
	server := example()
	defer server.Close()

	r, err := requests.Get(context.Background(), server.URL+"/lines")
	if err != nil {
		fmt.Println(err)
		return
	}
	content, err := r.Content()
	fmt.Printf("%s %q %v\n", r.Reason, content, err)
	// Output: OK "one\ntwo\nthree\n" <nil>
}

// What Requests takes as keywords are options here: they fill in the call's Request over what the session has.
func ExampleSession_Post() {
	server := example()
	defer server.Close()
	ctx := context.Background()
	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("X-Team", "search")

	show := func(r *requests.Response, err error) {
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := r.Text()
		fmt.Println(text, err)
	}
	show(s.Post(ctx, server.URL+"/users", requests.JSON(User{Name: "Ada"}), requests.Headers{{"X-Trace", "7"}}, requests.WithoutHeader("X-Team")))
	show(s.Post(ctx, server.URL+"/login", requests.Form{{"user", "ada"}, {"remember", "1"}},
		requests.Timeouts{Connect: 3 * time.Second, Read: 27 * time.Second}))
	show(s.Put(ctx, server.URL+"/notes", requests.Body("a note")))
	show(s.Patch(ctx, server.URL+"/notes", requests.Body(strings.NewReader("read as it is sent"))))
	show(s.Delete(ctx, server.URL+"/notes"))
	// Output:
	// POST /users, X-Trace: 7, 14 bytes of application/json <nil>
	// POST /login, X-Team: search, 19 bytes of application/x-www-form-urlencoded <nil>
	// PUT /notes, X-Team: search, 6 bytes <nil>
	// PATCH /notes, X-Team: search, 18 bytes <nil>
	// DELETE /notes, X-Team: search <nil>
}

func ExampleFiles() {
	server := example()
	defer server.Close()
	report := strings.NewReader("%PDF-1.7") // an *os.File brings its own name along

	r, err := requests.Post(context.Background(), server.URL+"/reports",
		requests.Files{{Field: "report", Name: "report.pdf", Content: report}}, requests.Form{{"year", "1843"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(text, err)
	// Output: POST /reports, 245 bytes of multipart/form-data <nil>
}

// A streamed reply is read as it comes. Leaving the loop early gives the connection up; reading to the end gives it back.
func ExampleResponse_Lines() {
	server := example()
	defer server.Close()

	r, err := requests.Get(context.Background(), server.URL+"/lines", requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	for line, err := range r.Lines() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line)
	}
	// Output:
	// one
	// two
	// three
}

func ExampleResponse_Chunks() {
	server := example()
	defer server.Close()

	r, err := requests.Get(context.Background(), server.URL+"/lines", requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	for chunk, err := range r.Chunks(6) { // 64 << 10 is a better size
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q\n", chunk)
	}
	// Output:
	// "one\ntw"
	// "o\nthre"
	// "e\n"
}

func ExampleResponse_RaiseForStatus() {
	server := example()
	defer server.Close()

	r, err := requests.Get(context.Background(), server.URL+"/missing")
	if err != nil {
		fmt.Println(err) // not for a 404
		return
	}
	err = r.RaiseForStatus()
	fmt.Println(errors.Is(err, requests.ErrHTTP), r.StatusCode, r.OK())
	// Output: true 404 false
}

func ExampleGetJSON() {
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	user, err := requests.GetJSON[User](context.Background(), s, server.URL+"/users/ada")
	fmt.Println(user.Name, user.Age, err)

	_, err = requests.GetJSON[User](context.Background(), s, server.URL+"/missing")
	fmt.Println(errors.Is(err, requests.ErrHTTP))
	// Output:
	// Ada 36 <nil>
	// true
}

// Redirects are followed, with the replies on the way in History, or walked by hand.
func ExampleAllowRedirects() {
	server := example()
	defer server.Close()
	ctx := context.Background()
	s := requests.NewSession()
	defer s.Close()

	r, err := s.Get(ctx, server.URL+"/old")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r, r.History, strings.TrimPrefix(r.URL, server.URL))

	r, err = s.Get(ctx, server.URL+"/old", requests.AllowRedirects(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r, r.IsRedirect(), r.IsPermanentRedirect(), strings.TrimPrefix(r.Next.URL, server.URL))
	r, err = s.Send(ctx, r.Next, requests.SendOptions{})
	fmt.Println(r, err)
	// Output:
	// <Response [200]> [<Response [301]>] /new
	// <Response [301]> true true /new
	// <Response [200]> <nil>
}

// A request can be prepared, changed by hand, and sent as it is then.
func ExampleSession_Prepare() {
	server := example()
	defer server.Close()
	ctx := context.Background()
	s := requests.NewSession()
	defer s.Close()

	req := &requests.Request{Method: "POST", URL: server.URL + "/users", JSON: User{Name: "Ada"}}
	p, err := s.Prepare(req) // or req.Prepare(): without the session's state
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Headers.Del("Content-Type")
	p.SetBody([]byte("exactly this"))

	opts, err := s.MergeEnvironment(p.URL, requests.SendOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := s.Send(ctx, p, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(text, err)
	// Output: POST /users, 12 bytes <nil>
}

// A hook looks at each reply, or replaces it.
func ExampleSession_OnResponse() {
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	s.OnResponse(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		fmt.Println(r.StatusCode, r.Request.Method, strings.TrimPrefix(r.URL, server.URL))
		return r, nil
	})
	r, err := s.Get(context.Background(), server.URL+"/old")
	fmt.Println(r, err)
	// Output:
	// 301 GET /old
	// 200 GET /new
	// <Response [200]> <nil>
}

// Errors are asked what kind they are, and why they came about.
func ExampleError() {
	server := example()
	defer server.Close()

	_, err := requests.Get(context.Background(), server.URL+"/slow", requests.Timeouts{Read: 20 * time.Millisecond})
	fmt.Println(errors.Is(err, requests.ErrTimeout), errors.Is(err, requests.ErrConnection))

	_, err = requests.Get(context.Background(), "example.com")
	fmt.Println(err)

	_, err = requests.Post(context.Background(), server.URL, requests.JSON(make(chan int)))
	var unsupported *json.UnsupportedTypeError
	fmt.Println(errors.Is(err, requests.ErrInvalidJSON), errors.As(err, &unsupported))
	// Output:
	// true false
	// GET example.com: no scheme supplied: perhaps you meant "https://example.com"
	// true true
}

// Whatever takes an *http.Client can ride on a session's adapters, cookies and settings.
func ExampleSession_RoundTripper() {
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("X-Team", "search")

	client := &http.Client{Transport: s.RoundTripper()}
	resp, err := client.Get(server.URL + "/from-an-SDK")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(text), err)
	// Output: 200 OK GET /from-an-SDK, X-Team: search <nil>
}

// Headers keep their order, their letter case and their duplicates, on the wire too; what looks them up ignores case.
func ExampleHeaders() {
	h := requests.Headers{{"x-first", "1"}, {"ACCEPT", "text/html"}, {"x-first", "2"}, {"Authorization", "Bearer secret"}}
	h.Set("Accept", "*/*")
	for name, value := range h.All() {
		fmt.Println(name, value)
	}
	fmt.Println(h.Get("X-First"), h.Values("X-First"), h.Has("Cookie"))
	fmt.Println(h) // secrets are not printed
	// Output:
	// x-first 1
	// Accept */*
	// x-first 2
	// Authorization Bearer secret
	// 1, 2 [1 2] false
	// [[x-first 1] [Accept */*] [x-first 2] [Authorization Bearer ***]]
}

// A group of options is an option, and other packages can write their own.
func ExampleJoinOptions() {
	traced := requests.OptionFunc(func(r *requests.Request) error {
		r.Headers.Set("X-Trace", "7")
		return nil
	})
	careful := requests.JoinOptions(traced, requests.Timeout(time.Second), requests.AllowRedirects(false))

	server := example()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL+"/", careful)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(text, err)
	// Output: GET /, X-Trace: 7 <nil>
}

// OnInterim sees what a server says before its answer, 103 Early Hints for example.
func ExampleOnInterim() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload; as=style")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Checksum")
		io.Copy(w, bytes.NewReader(make([]byte, 5000)))
		w.Header().Set("X-Checksum", "c0ffee")
	}))
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL, requests.OnInterim(func(status int, headers requests.Headers) error {
		fmt.Println(status, headers.Get("Link"))
		return nil
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.StatusCode, r.Links()["preload"]["url"], r.Trailers().Get("X-Checksum"))
	// Output:
	// 103 </style.css>; rel=preload; as=style
	// 200 /style.css c0ffee
}

func ExampleSession_Clone() {
	s := requests.NewSession()
	s.Headers = requests.Headers{{"X-Team", "search"}}
	c := s.Clone()
	c.Headers.Set("X-Team", "mail")
	fmt.Println(s.Headers.Get("X-Team"), c.Headers.Get("X-Team"))
	// Output: search mail
}
