package requests_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// jsonForms are ways to write JSON text down.
var jsonForms = map[string]func(s string) string{
	"utf-8":               func(s string) string { return s },
	"utf-8 with a mark":   func(s string) string { return "\ufeff" + s },
	"utf-16le":            func(s string) string { return units16(binary.LittleEndian, s) },
	"utf-16be":            func(s string) string { return units16(binary.BigEndian, s) },
	"utf-16le and a mark": func(s string) string { return units16(binary.LittleEndian, "\ufeff"+s) },
	"utf-16be and a mark": func(s string) string { return units16(binary.BigEndian, "\ufeff"+s) },
	"utf-32le":            func(s string) string { return units32(binary.LittleEndian, s) },
	"utf-32be":            func(s string) string { return units32(binary.BigEndian, s) },
	"utf-32le and a mark": func(s string) string { return units32(binary.LittleEndian, "\ufeff"+s) },
	"utf-32be and a mark": func(s string) string { return units32(binary.BigEndian, "\ufeff"+s) },
}

func units16(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func units32(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, r := range s {
		b = order.AppendUint32(b, uint32(r))
	}
	return string(b)
}

// TestJSONEncodings: the bytes of JSON say how they are encoded, whatever is declared.
func TestJSONEncodings(t *testing.T) {
	declared := []string{"", "application/json", "application/json; charset=utf-8", "application/json; charset=latin-1", "text/plain", "application/json; charset=bogus", "application/json; charset=utf-16"}
	for form, write := range jsonForms {
		for _, contentType := range declared {
			for _, text := range []string{`1`, `{}`, `""`, `"中"`, ` [1]`, `{"a":"é😀中"}`, "\"Ā\u0100\""} {
				if form == "utf-8" && (strings.Contains(contentType, "16") || strings.Contains(contentType, "latin") || contentType == "text/plain") {
					continue // it is what it is declared to be
				}
				r := replyWith(write(text), [2]string{"Content-Type", contentType})
				var got, want any
				if err := replyWith(text).JSON(&want); err != nil {
					t.Fatal(err)
				}
				err := r.JSON(&got)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%s in %s as %q: %v (-want +got):\n%s", text, form, contentType, err, diff)
				}
			}
		}
	}
}

// TestJSONErrors: what was there instead of JSON is said, without its secrets.
func TestJSONErrors(t *testing.T) {
	status, contentType, body := 200, "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		if body != "" {
			w.Write([]byte(body))
		}
	}))
	defer server.Close()
	s := newSession(t)
	for _, tt := range []struct {
		status            int
		contentType, body string
		want              []string
	}{
		{204, "", "", []string{"the body is empty (204)"}},
		{200, "application/json", "", []string{"the body is empty (200)"}},
		{503, "text/html", "<html>\n<h1>Busy</h1>" + strings.Repeat("x", 1000), []string{"503", `"text/html"`, `<html>\n<h1>Busy`, "line 1", "…"}},
		{200, "application/json", `{"a": tru`, []string{"200", "application/json", "tru"}},
		{200, "application/json", `{"access_token": "hunter2", "a": }`, []string{"***"}},
		{200, "application/json", `{"password": "hunter2`, []string{"***"}},
		{200, "application/json", "access_token=hunter2&scope=x", []string{"scope=x"}},
		{200, "text/plain", "token=hunter2", []string{"***"}},
		{200, "text/xml", "<r><password>hunter2</password></r>", []string{"<r>"}},
		{200, "text/plain", "eyJhbGciOiJIUzI1NiJ9.hunter2.abc", []string{"***"}},
		{200, "application/json", `"a string, and no object"`, []string{"a string", "cannot unmarshal"}},
	} {
		status, contentType, body = tt.status, tt.contentType, tt.body
		r, err := s.Get(t.Context(), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ A int }
		err = r.JSON(&v)
		if !errors.Is(err, requests.ErrJSONDecode) {
			t.Fatalf("%q: %v", tt.body, err)
		}
		for _, want := range append(tt.want, "GET "+server.URL) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v has no %q", tt.body, err, want)
			}
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || len(text) > 500 || strings.Contains(text, "\n") {
			t.Errorf("%q: %v", tt.body, err)
		}
	}
	r := replyWith("{}")
	r.Close()
	if err := r.JSON(new(any)); !strings.Contains(err.Error(), "closed") || strings.Contains(err.Error(), "streaming") {
		t.Errorf("closed: %v", err)
	}
}

func TestRaiseForStatusNamesTheMethod(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.WriteHeader(code)
	}))
	defer server.Close()
	s := newSession(t)
	r, err := s.Delete(t.Context(), server.URL+"/?n=404&token=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	want := "DELETE: 404 Client Error: Not Found for url: " + server.URL + "/?n=404&token=***"
	if diff := cmp.Diff(want, r.RaiseForStatus().Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type hookKey struct{}

// TestHooksKnowTheCall: a hook sees what the call was made with, and leaves a value for
// the caller.
func TestHooksKnowTheCall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
		}
	}))
	defer server.Close()
	s := newSession(t)
	s.Timeouts.Connect = 7 * time.Second
	s.Limits.MaxLine = 99
	var seen []requests.SendOptions
	s.OnResponse(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		seen = append(seen, r.Options())
		r.Options().Proxies["http"] = "http://127.0.0.1:1" // a copy: the next hop goes where it would have gone
		r.SetValue(hookKey{}, "was here "+r.Request.URL[len(server.URL):])
		return r, nil
	})
	r, err := s.Get(t.Context(), server.URL+"/from", requests.Stream(true), requests.Verify(false), requests.Timeouts{Read: 3 * time.Second},
		requests.Proxies{"https": "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(seen) != 2 {
		t.Fatalf("%d responses", len(seen))
	}
	for i, opts := range append(seen, r.Options()) {
		if opts.Stream != requests.On || opts.Verify != requests.Verify(false) || opts.Timeouts.Read != 3*time.Second ||
			opts.Timeouts.Connect != 7*time.Second || opts.Limits.MaxLine != 99 || opts.Proxies["https"] == "" {
			t.Errorf("%d: %+v", i, opts)
		}
	}
	got := []any{r.History[0].Value(hookKey{}), r.Value(hookKey{}), r.Value("other"), r.Value(nil)}
	if diff := cmp.Diff([]any{"was here /from", "was here /to", nil, nil}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Hooks = []requests.Hook{
		func(context.Context, *requests.Response) (*requests.Response, error) {
			return replyWith("made up"), nil
		},
		func(_ context.Context, r *requests.Response) (*requests.Response, error) {
			again, err := r.Resend(t.Context(), noError((&requests.Request{URL: server.URL + "/to"}).Prepare()))
			if err != nil || r.Options().Timeouts.Connect != 7*time.Second {
				t.Errorf("behind a hook that made a response up: %+v, %v", r.Options(), err)
			}
			return again, err
		},
	}
	if _, err := s.Get(t.Context(), server.URL+"/to"); err != nil {
		t.Error(err)
	}
	made := replyWith("")
	made.SetValue(nil, 1)
	if made.Value(nil) != nil || made.Options().Stream != requests.Inherit {
		t.Error("a response that no session sent for has settings or values")
	}
}
