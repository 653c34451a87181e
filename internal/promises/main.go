// Promises measures how this package, net/http and curl stand on what docs/security.md
// promises, over real sockets, and prints the table of that page:
//
//	go run ./internal/promises
//
// curl's column says "not measured" where there is no curl.
package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// client sends a GET, or what options say, and follows redirects. It returns the body's
// length, and false where the client refuses or fails.
type client struct {
	name string
	send func(ctx context.Context, method, url string, headers [][2]string, body string) (int64, bool)
}

// promise is one thing that a client keeps or does not.
type promise struct {
	what     string
	requests string // as recorded in docs/differences.md, "not measured" where it is not
	measure  func(c client) string
}

const patience = 3 * time.Second

func main() {
	clients := []client{{"here", here}, {"net/http", netHTTP}, {"curl", curl}}
	fmt.Printf("Measured on %s with %s, %s.\n\n", time.Now().Format(time.DateOnly), runtime.Version(), curlVersion())
	fmt.Println("| | here | Requests | net/http | curl |\n| --- | --- | --- | --- | --- |")
	for _, p := range promises {
		var got []string
		for _, c := range clients {
			got = append(got, measured(c, p))
		}
		fmt.Printf("| %s | %s | %s | %s | %s |\n", p.what, got[0], p.requests, got[1], got[2])
	}
}

func measured(c client, p promise) string {
	if c.name == "curl" && curlVersion() == noCurl {
		return "not measured"
	}
	return p.measure(c)
}

const noCurl = "no curl"

func curlVersion() string {
	out, err := exec.Command("curl", "--version").Output()
	if err != nil {
		return noCurl
	}
	fields := strings.Fields(string(out))
	return strings.Join(fields[:min(2, len(fields))], " ")
}
