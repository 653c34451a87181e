package toolbelt_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func TestForgetfulCookieJar(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "kept", Value: "1"})
		fmt.Fprint(w, r.Header.Get("Cookie"))
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Cookies = toolbelt.ForgetfulCookieJar()
	if err := s.Cookies.Set(requests.Cookie{Name: "by", Value: "hand"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, option := range []requests.Option{nil, requests.Cookies{{"call", "2"}}, nil} {
		r, err := s.Get(t.Context(), server.URL, option)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := r.Text()
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"", "call=2", ""}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
