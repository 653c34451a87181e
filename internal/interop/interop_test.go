package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v74/github"
	"github.com/jarcoal/httpmock"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// counter answers with how often it was asked.
func counter(t *testing.T) (url string, asked *atomic.Int32) {
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Agent", r.UserAgent())
		fmt.Fprintf(w, "%d %s %s", asked.Add(1), r.Method, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestGoVCR records what an adapter carries and replays it, below an http.Client and below a Session.
func TestGoVCR(t *testing.T) {
	url, asked := counter(t)
	cassette := filepath.Join(t.TempDir(), "tape")
	for range 2 { // recorded, then replayed
		base := requests.NewHTTPAdapter()
		vcr, err := recorder.New(cassette, recorder.WithMode(recorder.ModeRecordOnce), recorder.WithRealTransport(requests.AdapterTransport(base)))
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.Mount("http://", adapters.RoundTripper(vcr))
		r, err := s.Post(t.Context(), url+"/session", requests.Body("body"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Text()
		resp, err2 := vcr.GetDefaultClient().Get(url + "/client")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		direct, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if diff := cmp.Diff([]string{"1 POST body", "2 GET "}, []string{text, string(direct)}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := errors.Join(vcr.Stop(), s.Close(), base.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
}

// TestHTTPMock answers a Session out of httpmock, and what is not mocked over an adapter.
func TestHTTPMock(t *testing.T) {
	url, _ := counter(t)
	base := requests.NewHTTPAdapter()
	defer base.Close()
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.test/users/1", httpmock.NewJsonResponderOrPanic(200, map[string]string{"name": "ada"}))
	mock.RegisterResponder("POST", "https://api.test/users", func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		return httpmock.NewStringResponse(201, r.Header.Get("Content-Type")+" "+string(body)), nil
	})
	mock.RegisterResponder("GET", "https://api.test/broken", httpmock.NewErrorResponder(io.ErrUnexpectedEOF))
	mock.RegisterNoResponder(requests.AdapterTransport(base).RoundTrip)
	s := requests.NewSession()
	s.Mount("https://", adapters.RoundTripper(mock))
	s.Mount("http://", adapters.RoundTripper(mock))
	defer s.Close()
	user, err := requests.GetJSON[map[string]string](t.Context(), s, "https://api.test/users/1")
	if err != nil || user["name"] != "ada" {
		t.Error(user, err)
	}
	r, err := s.Post(t.Context(), "https://api.test/users", requests.JSON(map[string]int{"a": 1}))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := r.Text(); r.StatusCode != 201 || text != `application/json {"a":1}` {
		t.Errorf("%d %s", r.StatusCode, text)
	}
	if _, err := s.Get(t.Context(), "https://api.test/broken"); !errors.Is(err, requests.ErrConnection) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	r, err = s.Put(t.Context(), url, requests.Body(strings.NewReader("through")))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := r.Text(); text != "1 PUT through" {
		t.Error(text)
	}
}

// fakeGitHub serves a corner of GitHub's API: pages of issues, creation with authorization, a redirect, an error.
func fakeGitHub(t *testing.T) (url string, agents *[]string) {
	mux := http.NewServeMux()
	agents = &[]string{}
	issues := func(w http.ResponseWriter, numbers ...int) {
		var list []map[string]any
		for _, n := range numbers {
			list = append(list, map[string]any{"number": n, "title": fmt.Sprint("issue ", n)})
		}
		_ = json.NewEncoder(w).Encode(list)
	}
	var base string
	mux.HandleFunc("GET /repos/o/r/issues", func(w http.ResponseWriter, r *http.Request) {
		*agents = append(*agents, r.Header.Get("X-Team")+" "+r.Header.Get("Authorization"))
		if r.URL.Query().Get("page") == "2" {
			issues(w, 3)
			return
		}
		w.Header().Set("Link", "<"+base+`/repos/o/r/issues?page=2>; rel="next"`)
		issues(w, 1, 2)
	})
	mux.HandleFunc("POST /repos/o/r/issues", func(w http.ResponseWriter, r *http.Request) {
		var sent map[string]any
		_ = json.NewDecoder(r.Body).Decode(&sent)
		w.WriteHeader(201)
		_ = json.NewEncoder(w).Encode(map[string]any{"number": 4, "title": sent["title"]})
	})
	mux.HandleFunc("GET /repos/o/old/issues", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/repos/o/r/issues?page=2", http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /repos/o/none/issues", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		io.WriteString(w, `{"message": "Not Found"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	base = server.URL
	return server.URL, agents
}

// TestGoGitHub runs a real SDK over a Session's mounts, auth, headers and hooks.
func TestGoGitHub(t *testing.T) {
	url, agents := fakeGitHub(t)
	s := requests.NewSession()
	defer s.Close()
	s.Auth = requests.BasicAuth("ada", "secret")
	s.Headers.Set("X-Team", "search")
	hooked := 0
	s.OnResponse(func(context.Context, *requests.Response) (*requests.Response, error) { hooked++; return nil, nil })
	client, err := github.NewClient(&http.Client{Transport: s.RoundTripper()}).WithEnterpriseURLs(url, url)
	if err != nil {
		t.Fatal(err)
	}
	client.BaseURL.Path = "/"
	var titles []string
	opts := &github.IssueListByRepoOptions{}
	for {
		page, resp, err := client.Issues.ListByRepo(t.Context(), "o", "r", opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, issue := range page {
			titles = append(titles, issue.GetTitle())
		}
		if opts.ListOptions.Page = resp.NextPage; resp.NextPage == 0 {
			break
		}
	}
	made, _, err := client.Issues.Create(t.Context(), "o", "r", &github.IssueRequest{Title: github.Ptr("new")})
	if err != nil {
		t.Fatal(err)
	}
	moved, _, err := client.Issues.ListByRepo(t.Context(), "o", "old", nil)
	if err != nil {
		t.Fatal(err)
	}
	titles = append(titles, made.GetTitle(), moved[0].GetTitle())
	if diff := cmp.Diff([]string{"issue 1", "issue 2", "issue 3", "new", "issue 3"}, titles); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	auth := "search Basic YWRhOnNlY3JldA=="
	if diff := cmp.Diff([]string{auth, auth, auth}, *agents); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	_, _, err = client.Issues.ListByRepo(t.Context(), "o", "none", nil)
	if failed, ok := errors.AsType[*github.ErrorResponse](err); !ok || failed.Message != "Not Found" {
		t.Errorf("%v", err)
	}
	if hooked != 6 {
		t.Errorf("hooks ran %d times", hooked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := client.Issues.ListByRepo(ctx, "o", "r", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestGoGitHubOverMock runs the SDK without any server.
func TestGoGitHubOverMock(t *testing.T) {
	mock := adapters.NewMock()
	mock.On("GET", "https://api.github.com/repos/o/r/issues").Reply(adapters.Reply{JSON: []map[string]any{{"number": 7}}})
	client := github.NewClient(&http.Client{Transport: requests.AdapterTransport(mock)})
	page, _, err := client.Issues.ListByRepo(t.Context(), "o", "r", nil)
	if err != nil || len(page) != 1 || page[0].GetNumber() != 7 {
		t.Error(page, err)
	}
	if err := mock.Check(); err != nil {
		t.Error(err)
	}
}
