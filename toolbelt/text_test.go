package toolbelt_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func TestFormData(t *testing.T) {
	inner := toolbelt.FormData{{"c", "d"}, {"e f", []byte("&")}}
	tests := map[string]struct {
		form any
		want string
	}{
		"nested twice":        {toolbelt.FormData{{"a", toolbelt.FormData{{"b", inner}}}}, "a%5Bb%5D%5Bc%5D=d&a%5Bb%5D%5Be+f%5D=%26"},
		"a map is sorted":     {map[string]any{"b": map[string]string{"z": "1", "y": "2"}, "a": 1}, "a=1&b%5By%5D=2&b%5Bz%5D=1"},
		"form and pairs":      {toolbelt.FormData{{"a", requests.Form{{"b", "1"}}}, {"c", [][2]string{{"d", "2"}}}}, "a%5Bb%5D=1&c%5Bd%5D=2"},
		"params":              {requests.Params{{"a", "1"}, {"a", "2"}}, "a=1&a=2"},
		"list of pairs":       {[]any{[]any{"a", []any{[2]any{"b", 1}, [2]string{"c", "2"}, []any{"d", "3"}}}}, "a%5Bb%5D=1&a%5Bc%5D=2&a%5Bd%5D=3"},
		"empty vanishes":      {toolbelt.FormData{{"a", toolbelt.FormData{}}, {"b", map[string]any{}}}, ""},
		"numbers and truth":   {toolbelt.FormData{{"a", 1.5}, {"b", float32(0.1)}, {"c", uint8(7)}, {"d", true}}, "a=1.5&b=0.1&c=7&d=true"},
		"percent in keys":     {toolbelt.FormData{{"100%", toolbelt.FormData{{"%s", "x"}}}}, "100%25%5B%25s%5D=x"},
		"keys of numbers":     {toolbelt.FormData{{1, toolbelt.FormData{{2, "x"}}}}, "1%5B2%5D=x"},
		"beside a nested one": {toolbelt.FormData{{"a", 1}, {"b", toolbelt.FormData{{"c", 2}}}}, "a=1&b%5Bc%5D=2"},
	}
	for name, test := range tests {
		got, err := toolbelt.URLEncode(test.form)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestFormDataRefused(t *testing.T) {
	loop := toolbelt.FormData{{"a", nil}}
	loop[0][1] = loop
	for name, form := range map[string]any{
		"nil":          nil,
		"text":         "ab",
		"nil value":    toolbelt.FormData{{"a", nil}},
		"list":         toolbelt.FormData{{"a", []string{"x", "y"}}},
		"not pairs":    toolbelt.FormData{{"a", []any{"xy"}}},
		"nil key":      []any{[]any{nil, "x"}},
		"three items":  []any{[]any{"a", "b", "c"}},
		"inside":       toolbelt.FormData{{"a", toolbelt.FormData{{"b", struct{}{}}}}},
		"into itself":  loop,
		"list of list": []any{[]string{"a"}},
	} {
		if got, err := toolbelt.URLEncode(form); !isKind(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestFormDataIsSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Header.Get("Content-Type"), body)
	}))
	defer server.Close()
	r, err := requests.Post(t.Context(), server.URL, toolbelt.FormData{{"a", toolbelt.FormData{{"b", "1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := r.Text()
	if diff := cmp.Diff("application/x-www-form-urlencoded a%5Bb%5D=1", text); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := requests.Post(t.Context(), server.URL, toolbelt.FormData{{"a", nil}}); !isKind(err, requests.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
}

func TestUserAgent(t *testing.T) {
	got := toolbelt.UserAgent("tool", "1.0", [2]string{"extra", "2"})
	form := regexp.MustCompile(`^tool/1\.0 extra/2 Go/(\d+\.\d+\S*|devel) [A-Z]\w+/\S+$`)
	if !form.MatchString(got) {
		t.Errorf("got %q", got)
	}
	if runtime.GOOS == "linux" && !strings.Contains(got, " Linux/") {
		t.Errorf("got %q", got)
	}
}

func TestBaseURLSessionMethods(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		w.Header().Set("X-Seen", r.Method+" "+r.URL.Path)
	}))
	defer server.Close()
	s := toolbelt.NewBaseURLSession(server.URL + "/v1/")
	defer s.Close()
	ctx := t.Context()
	do := func(string) (*requests.Response, error) { return s.Do(ctx, &requests.Request{Method: "put", URL: "x"}) }
	request := func(url string) (*requests.Response, error) { return s.Request(ctx, "TRACE", url) }
	tests := map[string]func(url string) (*requests.Response, error){
		"GET /v1/x":     func(url string) (*requests.Response, error) { return s.Get(ctx, url) },
		"OPTIONS /v1/x": func(url string) (*requests.Response, error) { return s.Options(ctx, url) },
		"HEAD /v1/x":    func(url string) (*requests.Response, error) { return s.Head(ctx, url) },
		"POST /v1/x":    func(url string) (*requests.Response, error) { return s.Post(ctx, url) },
		"PUT /v1/x":     do,
		"PATCH /v1/x":   func(url string) (*requests.Response, error) { return s.Patch(ctx, url) },
		"DELETE /v1/x":  func(url string) (*requests.Response, error) { return s.Delete(ctx, url) },
		"TRACE /v1/x":   request,
	}
	for want, send := range tests {
		r, err := send("x")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Headers.Get("X-Seen")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	r, err := s.Head(ctx, "moved")
	if err != nil || r.StatusCode != http.StatusFound {
		t.Errorf("HEAD follows redirects: %v, %v", r, err)
	}
	if r, err := s.Put(ctx, "x"); err != nil || r.Headers.Get("X-Seen") != "PUT /v1/x" {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestErrors: an error is of its kind and of its cause.
func TestErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := requests.NewResponse(nil, 200, nil, io.NopCloser(strings.NewReader("x")))
	defer r.Close()
	_, err := toolbelt.StreamResponseToFile(r, path)
	if !isKind(err, toolbelt.ErrStreaming) || !isKind(err, os.ErrExist) || isKind(err, toolbelt.ErrVersionMismatch) {
		t.Errorf("%v is not what it should be", err)
	}
	if !isKind(toolbelt.ErrChecksum, toolbelt.ErrStreaming) {
		t.Error("ErrChecksum is not ErrStreaming")
	}
}
