package adapters_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestBeforeSend: what f changes is sent and seen by nobody else, what it returns is taken instead.
func TestBeforeSend(t *testing.T) {
	var sent []string
	base := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		sent = append(sent, p.URL+" "+p.Headers.Get("X-Trace"))
		return requests.NewResponse(p, 200, nil, nil), nil
	})
	broken := errors.New("broken")
	s := requests.NewSession()
	defer s.Close()
	s.Mount("test://", adapters.Chain(base, adapters.BeforeSend(func(_ context.Context, p *requests.PreparedRequest) (*requests.Response, error) {
		switch p.URL {
		case "test://h/kept":
			return requests.NewResponse(p, 203, nil, nil), nil
		case "test://h/broken":
			return nil, broken
		}
		p.Headers.Set("X-Trace", "1")
		return nil, nil
	})))
	p, err := s.Prepare(&requests.Request{URL: "test://h/a"})
	if err != nil {
		t.Fatal(err)
	}
	var statuses []int
	hooked := requests.ReplaceHooks(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		statuses = append(statuses, r.StatusCode)
		return r, nil
	})
	if _, err := s.Send(t.Context(), p, requests.SendOptions{}); err != nil || p.Headers.Has("X-Trace") {
		t.Errorf("%v, %v", p.Headers, err)
	}
	for _, path := range []string{"b", "kept"} {
		if _, err := s.Get(t.Context(), "test://h/"+path, hooked); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Get(t.Context(), "test://h/broken"); err != broken {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"test://h/a 1", "test://h/b 1"}, sent); diff != "" {
		t.Errorf("sent (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]int{200, 203}, statuses); diff != "" {
		t.Errorf("seen by the hook (-want +got)\n%s", diff)
	}
}

// TestOnError: an error is kept, translated, or replaced by a response; a response is not shown.
func TestOnError(t *testing.T) {
	lost, mine := errors.New("lost"), errors.New("mine")
	base := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if p.URL == "test://h/fine" {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		return nil, lost
	})
	s := requests.NewSession()
	defer s.Close()
	s.Mount("test://", adapters.Chain(base, adapters.OnError(func(_ context.Context, p *requests.PreparedRequest, err error) (*requests.Response, error) {
		if err != lost {
			t.Errorf("%s: f was given %v", p.URL, err)
		}
		switch p.URL {
		case "test://h/translated":
			return nil, mine
		case "test://h/instead":
			return requests.NewResponse(p, 503, nil, nil), nil
		}
		return nil, nil
	})))
	for path, want := range map[string]error{"kept": lost, "translated": mine, "instead": nil, "fine": nil} {
		r, err := s.Get(t.Context(), "test://h/"+path)
		if err != want || err == nil && r.StatusCode != map[string]int{"instead": 503, "fine": 200}[path] {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
}
