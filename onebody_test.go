package requests_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestOneBody: of the ways to give a body one can be used; Form and Files are one together.
func TestOneBody(t *testing.T) {
	ways := []struct {
		name   string
		option func() requests.Option
	}{
		{"Body", func() requests.Option { return requests.Body("b") }},
		{"Form", func() requests.Option { return requests.Form{{"a", "1"}} }},
		{"JSON", func() requests.Option { return requests.JSON(1) }},
		{"Files", func() requests.Option { return requests.Files{{Field: "f", Content: strings.NewReader("x")}} }},
	}
	for _, first := range ways {
		for _, second := range ways {
			names := []string{first.name, second.name}
			alone := first.name == second.name || slices.Contains(names, "Form") && slices.Contains(names, "Files")
			for _, s := range []*requests.Session{{}, {Policy: requests.PolicyRequests()}} {
				r := &requests.Request{Method: "POST", URL: "http://a.test/"}
				if err := requests.JoinOptions(first.option(), second.option()).Apply(r); err != nil {
					t.Fatal(err)
				}
				_, err := s.Prepare(r)
				taken := alone || s.Policy.BodiesAsRequests && slices.Contains(names, "JSON")
				if errors.Is(err, requests.ErrInvalidBody) == taken {
					t.Errorf("%v, %v: %v", names, s.Policy.BodiesAsRequests, err)
				}
				if err != nil && (!strings.HasPrefix(err.Error(), "POST http://a.test/: ") || !strings.Contains(err.Error(), first.name) || !strings.Contains(err.Error(), second.name)) {
					t.Errorf("%v: %v", names, err)
				}
			}
		}
	}
}

// TestFilesWithoutContent: a File has content, if no bytes.
func TestFilesWithoutContent(t *testing.T) {
	var got []string
	for _, r := range []requests.Request{
		{Files: requests.Files{{Field: "f"}}},
		{Files: requests.Files{{Field: "f", Content: strings.NewReader("")}}},
		{Files: requests.Files{{Field: "g", Content: strings.NewReader("x")}, {Field: "f", Name: "n"}}},
	} {
		for _, s := range []*requests.Session{{}, {Policy: requests.PolicyRequests()}} {
			r.Method, r.URL = "POST", "http://a.test/"
			p, err := s.Prepare(&r)
			if err != nil {
				got = append(got, errorKind(err))
				continue
			}
			data, _ := p.Body()
			got = append(got, strings.Repeat("part ", bytes.Count(data, []byte("name="))))
		}
	}
	want := []string{"invalid argument", "", "part part ", "part part ", "invalid argument", "part part "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// errorKind names the Kind of an error of this package.
func errorKind(err error) string {
	if e, ok := errors.AsType[*requests.Error](err); ok {
		return e.Kind.Error()
	}
	return ""
}

// TestDefaultTimeouts: they stand in the fields of a new session, and are lifted by NoTimeout and by Policy.
func TestDefaultTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*requests.Session)
		option requests.SendOptions
		want   requests.Timeouts
	}{
		"new":         {func(*requests.Session) {}, requests.SendOptions{}, requests.DefaultTimeouts()},
		"call":        {func(*requests.Session) {}, requests.SendOptions{Timeouts: requests.NoTimeout}, requests.NoTimeout},
		"zero":        {func(s *requests.Session) { s.Timeouts = requests.Timeouts{} }, requests.SendOptions{}, requests.Timeouts{}},
		"Policy":      {func(s *requests.Session) { s.Policy = requests.PolicyRequests() }, requests.SendOptions{}, requests.Timeouts{}},
		"Policy, own": {func(s *requests.Session) { s.Policy = requests.PolicyRequests(); s.Timeouts.Read = 1 }, requests.SendOptions{}, requests.Timeouts{Connect: 30e9, Read: 1}},
	} {
		s := newTestSession(t)
		c.change(s)
		opts, err := s.MergeEnvironment("http://a.test/", c.option)
		if diff := cmp.Diff(c.want, opts.Timeouts); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
	if err := requests.Timeout(0).Apply(&requests.Request{}); !errors.Is(err, requests.ErrInvalidTimeout) {
		t.Errorf("Timeout(0): %v", err)
	}
	if got := requests.NewSession().Timeouts; got != (requests.Timeouts{Connect: 30e9, Read: 300e9}) {
		t.Errorf("a new session has %+v", got)
	}
}
