package requests_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"

	"github.com/mountable/requests"
)

func TestSmoke(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Printf("%q\n", line)
			if line == "\r\n" {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
			}
		}
	}()
	s := requests.NewSession()
	defer s.Close()
	for range 2 {
		r, err := s.Get(t.Context(), "http://"+ln.Addr().String()+"/x", requests.Params{{"q", "go lang"}})
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]int
		if err := r.JSON(&v); err != nil {
			t.Fatal(err)
		}
		fmt.Println(r, v, r.Headers, r.Elapsed)
	}
}
