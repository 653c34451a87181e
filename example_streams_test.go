package requests_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/mountable/requests"
)

// The stream breaks after the first event, and is connected again.
func ExampleEventSource() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Last-Event-ID") {
		case "":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "retry: 10\nid: 1\ndata: good morning\n\n")
		case "1":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "id: 2\nevent: farewell\ndata: good night\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	for e, err := range requests.EventSource(context.Background(), s, server.URL) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.ID, e.Type, e.Data)
	}
	// Output:
	// 1 message good morning
	// 2 farewell good night
}

func ExampleJSONArray() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"name": "Ada"}, {"name": "Grace"}]`)
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	r, err := s.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	for user, err := range requests.JSONArray[User](r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(user.Name)
	}
	// Output:
	// Ada
	// Grace
}

func ExamplePages() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/users" {
			w.Header().Set("Link", `</users/more>; rel="next"`)
		}
		fmt.Fprint(w, "the users of ", r.URL.Path)
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	for r, err := range requests.Pages(context.Background(), s, server.URL+"/users") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Text())
	}
	// Output:
	// the users of /users <nil>
	// the users of /users/more <nil>
}

func ExamplePath() {
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()

	r, err := s.Get(context.Background(), server.URL+"/users/{name}{?page}", requests.Path{"name": "ada/lovelace", "page": 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: GET /users/ada%2Flovelace?page=2 <nil>
}
