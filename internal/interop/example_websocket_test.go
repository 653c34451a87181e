package interop

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"

	"github.com/mountable/requests"
)

// A websocket over a Session: with its cookies, auth, proxies and TLS.
func Example_websocket() {
	server := httptest.NewServer(echoSocket())
	defer server.Close()

	s := requests.NewSession()
	defer s.Close()
	s.Auth = requests.BasicAuth("ada", "secret")
	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{HTTPClient: &http.Client{Transport: s.RoundTripper()}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, message, err := c.Read(ctx)
	fmt.Println(string(message), err)
	fmt.Println(c.Close(websocket.StatusNormalClosure, ""))
	// Output:
	// hello <nil>
	// <nil>
}
