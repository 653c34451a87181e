package requests_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

type book struct {
	XMLName xml.Name `xml:"book" json:"-"`
	Title   string   `xml:"title" json:"title"`
}

// TestDecode: the Content-Type says how the body is read, and the body which charset it is in.
func TestDecode(t *testing.T) {
	lines := requests.Codec{Unmarshal: func(data []byte, v any) error {
		title, ok := strings.CutPrefix(string(data), "title ")
		if !ok {
			return errors.New("no title")
		}
		v.(*book).Title = title
		return nil
	}}
	for _, c := range []struct {
		kind, body, want string
		err              error
	}{
		{"application/json", `{"title":"é"}`, "é", nil},
		{"application/json; charset=utf-16", "\xff\xfe{\x00\"\x00t\x00i\x00t\x00l\x00e\x00\"\x00:\x00\"\x00x\x00\"\x00}\x00", "x", nil},
		{"application/vnd.books+json", `{"title":"a"}`, "a", nil},
		{"Text/JSON", `{"title":"a"}`, "a", nil},
		{"application/json", `{"title":`, "", requests.ErrJSONDecode},
		{"application/json", "", "", requests.ErrDecode},
		{"application/xml", `<book><title>é</title></book>`, "é", nil},
		{"text/xml", `<?xml version="1.0" encoding="iso-8859-1"?><book><title>` + "\xe9</title></book>", "é", nil},
		{"text/xml; charset=windows-1252", `<?xml version="1.0" encoding="utf-8"?><book><title>` + "\x80</title></book>", "€", nil},
		{"application/atom+xml", "\xef\xbb\xbf<book><title>b</title></book>", "b", nil},
		{"application/xml", `<?xml version="1.0" encoding="klingon"?><book/>`, "", requests.ErrDecode},
		{"application/xml", "<book><title>\xff</title></book>", "", requests.ErrDecode},
		{"application/xml", "<book><title>x", "", requests.ErrDecode},
		{"application/xml", "", "", requests.ErrDecode},
		{"application/lines", "title t", "t", nil},
		{"application/vnd.x+lines; q=1", "title t", "t", nil},
		{"application/lines", "other", "", requests.ErrDecode},
		{"application/own+json", "title t", "t", nil},
		{"application/octet-stream", "x", "", requests.ErrInvalidHeader},
		{"", "x", "", requests.ErrInvalidHeader},
	} {
		t.Run(c.kind+" "+c.body, func(t *testing.T) {
			s, url := serveText(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				io.WriteString(w, c.body)
			})
			s.Codecs = requests.Codecs{"Application/Lines": lines, "application/own+JSON": lines}
			var got book
			err := must(s.Get(t.Context(), url)).Decode(&got)
			if !errors.Is(err, c.err) || got.Title != c.want {
				t.Errorf("%q, %v; want %q, %v", got.Title, err, c.want, c.err)
			}
		})
	}
}

// TestDecodeTells: the error shows the type and how the body begins, without what is secret in it.
func TestDecodeTells(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		io.WriteString(w, "<login><password>hunter2</password>")
	})
	err := must(s.Get(t.Context(), url)).Decode(new(book))
	if err == nil || !strings.Contains(err.Error(), `"application/xml"`) || !strings.Contains(err.Error(), "<login>") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// TestJSONCodec: one codec writes and reads all JSON of a session, of a call and of a mount.
func TestJSONCodec(t *testing.T) {
	named := func(name string) requests.Codecs {
		return requests.Codecs{"Application/JSON": {
			Marshal: func(any) ([]byte, error) { return []byte(`"by ` + name + `"`), nil },
			Unmarshal: func(data []byte, v any) error {
				return json.Unmarshal(append([]byte(`"` + name + ` "`)[:0], fmt.Sprintf("%q", name+" "+string(data))...), v)
			},
		}}
	}
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.Copy(w, r.Body)
	})
	s.Codecs = named("session")
	s.Mount(url+"/mount", adapters.Codecs(named("mount"))(requests.NewHTTPAdapter()))
	read := func(r *requests.Response, err error) (v string) {
		if err == nil {
			err = r.JSON(&v)
		}
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	got := []string{
		read(s.Post(t.Context(), url, requests.JSON(1))),
		read(s.Post(t.Context(), url, requests.JSON(1), named("call"))),
		read(s.Post(t.Context(), url+"/mount", requests.JSON(1))),
		read(s.Clone().Post(t.Context(), url, requests.JSON(1))),
		must(requests.PostJSON[string](t.Context(), s, url, 1)),
	}
	for v, err := range requests.JSONLines[string](must(s.Post(t.Context(), url, requests.Body("1\n2")))) {
		got = append(got, v, fmt.Sprint(err))
	}
	want := []string{
		`session "by session"`, `call "by call"`, `mount "by session"`, `session "by session"`, `session "by session"`,
		"session 1", "<nil>", "session 2", "<nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Codecs["application/json"] = requests.Codec{Marshal: func(any) ([]byte, error) { return nil, errors.New("no") }}
	if _, err := s.Post(t.Context(), url, requests.JSON(1)); !errors.Is(err, requests.ErrInvalidJSON) {
		t.Errorf("a codec that fails: %v", err)
	}
}
