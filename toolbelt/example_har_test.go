package toolbelt_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

func ExampleHAR() {
	dir, err := os.MkdirTemp("", "har")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	server := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, nil, io.NopCloser(strings.NewReader("hello"))), nil
	})
	var har toolbelt.HAR
	s := requests.NewSession()
	s.Mount("http://", har.Wrap(server)) // usually around requests.NewHTTPAdapter()
	if _, err := s.Get(context.Background(), "http://h.example/?token=s3cret"); err != nil {
		fmt.Println(err)
		return
	}
	path := filepath.Join(dir, "session.har")
	if err := har.Save(path); err != nil {
		fmt.Println(err)
		return
	}

	tape, err := adapters.Cassette(path, adapters.RecordNone)
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Mount("http://", adapters.Chain(requests.NewHTTPAdapter(), tape))
	r, err := s.Get(context.Background(), "http://h.example/?token=s3cret")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(text, err)
	// Output: hello <nil>
}
