package requests_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/mountable/requests"
)

// Upgrade hands over the connection when the server has agreed to another protocol.
func ExampleSession_Upgrade() {
	server := httptest.NewServer(shouting())
	defer server.Close()

	s := requests.NewSession()
	defer s.Close()
	conn, r, err := s.Upgrade(context.Background(), server.URL, "shout", requests.Headers{{"X-Voice", "loud"}})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	greeting, _ := in.ReadString('\n')
	fmt.Fprintln(conn, "anybody there")
	answer, _ := in.ReadString('\n')
	fmt.Print(r.StatusCode, " ", greeting, answer)
	// Output:
	// 101 hello
	// anybody there!
}
