// Command websocket sends each line of its input over a websocket, and prints the replies. The handshake
// goes over a session, with its cookies, auth, proxies and TLS settings.
//
//	echo hello | websocket wss://echo.example.com/
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/coder/websocket"
	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: websocket URL")
	}
	s := requests.NewSession()
	s.Auth = requests.BearerAuth(os.Getenv("TOKEN"))
	if err := talk(context.Background(), s, os.Args[1], os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func talk(ctx context.Context, s *requests.Session, url string, in io.Reader, out io.Writer) error {
	client := &http.Client{Transport: s.RoundTripper()}
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := conn.Write(ctx, websocket.MessageText, lines.Bytes()); err != nil {
			return err
		}
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, string(message))
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}
