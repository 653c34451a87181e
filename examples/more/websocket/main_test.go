package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/mountable/requests"
)

// TestTalk talks to a server that echoes in capital letters, to those who have a token.
func TestTalk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if err := conn.Write(r.Context(), kind, []byte(strings.ToUpper(string(message)))); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	var out strings.Builder
	if err := talk(t.Context(), s, server.URL, strings.NewReader("hello\n"), &out); err == nil {
		t.Error("no token is taken")
	}
	s.Auth = requests.BearerAuth("t0ken")
	if err := talk(t.Context(), s, server.URL, strings.NewReader("hello\nworld\n"), &out); err != nil {
		t.Error(err)
	}
	if out.String() != "HELLO\nWORLD\n" {
		t.Errorf("%q", out.String())
	}
}
