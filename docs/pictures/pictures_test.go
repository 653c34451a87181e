package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
)

const root = "../.."

// TestDrawn: the files are what this draws, and well-formed.
func TestDrawn(t *testing.T) {
	for _, p := range pictures {
		drawn, err := p.draw(root)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		file, err := os.ReadFile(p.name)
		if err != nil || !bytes.Equal(file, drawn.svg()) {
			t.Errorf("docs/pictures/%s is not what go run ./docs/pictures draws: %v", p.name, err)
		}
		for d := xml.NewDecoder(bytes.NewReader(drawn.svg())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", p.name, err)
				break
			}
		}
	}
}

// TestFiles: the files that the way of a request names are there.
func TestFiles(t *testing.T) {
	for _, s := range slices.Concat(before, hop, after) {
		for _, file := range strings.Fields(s.files) {
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: %v", s.what, err)
			}
		}
	}
}

// TestKinds: every kind is in the tree once, with the parents that errors.go gives it.
func TestKinds(t *testing.T) {
	k, err := kindsOf(root)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, kind := range []requests.Kind{requests.ErrRequest, requests.ErrHTTP, requests.ErrConnectTimeout, requests.ErrBodyTimeout, requests.ErrJSONDecode} {
		got[k.name(kind)] = []string{}
		for _, parent := range k.parents[kind] {
			got[k.name(kind)] = append(got[k.name(kind)], k.name(parent))
		}
	}
	want := map[string][]string{
		"ErrRequest": {}, "ErrHTTP": {"ErrRequest"}, "ErrConnectTimeout": {"ErrTimeout", "ErrConnect"},
		"ErrBodyTimeout": {"ErrConnection", "ErrReadTimeout"}, "ErrJSONDecode": {"ErrInvalidJSON", "ErrDecode"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parents (-want +got)\n%s", diff)
	}
	drawn, err := drawErrors(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range k.names {
		if n := strings.Count(drawn.drawn.String(), ">"+name+"<"); n != 1 {
			t.Errorf("%s is drawn %d times", name, n)
		}
	}
}

// TestCourses: the pauses and ends that docs/guide/retries.md speaks of.
func TestCourses(t *testing.T) {
	type course struct {
		Pauses []string
		End    string
	}
	var got []course
	for _, c := range courses {
		spans, end, err := c.run()
		if err != nil {
			t.Fatal(err)
		}
		as := course{End: end}
		for _, s := range spans {
			switch {
			case s.never:
				as.Pauses = append(as.Pauses, (s.to-s.from).String()+", not begun")
			case s.try == "":
				as.Pauses = append(as.Pauses, (s.to - s.from).String())
			}
		}
		got = append(got, as)
	}
	want := []course{
		{[]string{"0s", "1s", "3s"}, "the response"},
		{[]string{"0s", "1s", "2s", "4s"}, "ErrRetry"},
		{[]string{"0s", "1s", "2s", "4s, not begun"}, "ErrTotalTimeout at once"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestLimits: each limit of Timeouts is in the picture but Continue, which ends no request.
func TestLimits(t *testing.T) {
	bounds, err := boundsOf(root)
	if err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[requests.Timeouts]().Fields() {
		found := slices.ContainsFunc(bounds, func(b bound) bool { return b.field == field.Name })
		if found != (field.Name != "Continue") {
			t.Errorf("%s is in the picture: %v", field.Name, found)
		}
	}
}
