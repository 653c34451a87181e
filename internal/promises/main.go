// Promises measures how this package, Requests, net/http and curl stand on what docs/security.md
// promises, over real sockets, and prints the table of that page:
//
//	go run ./internal/promises
//
// A column says "not measured" where there is no curl, or no python3 with Requests.
package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// client sends a request, follows redirects and keeps cookies. It returns the body's length,
// and false where the client refuses or fails.
type client struct {
	name string
	send func(context.Context, ask) (int64, bool)
}

// promise is one thing that a client keeps or does not.
type promise struct {
	what    string
	measure func(c client) string
}

// patience is for one measure. A Python that has to be read from a disk takes some of it.
const patience = 10 * time.Second

func main() {
	clients := []client{{"here", here}, {"Requests", python}, {"net/http", netHTTP}, {"curl", curl}}
	versions := map[string]string{"Requests": pythonVersion(), "curl": curlVersion()}
	fmt.Printf("Measured on %s with %s, %s, %s.\n\n", time.Now().Format(time.DateOnly), runtime.Version(), or(versions["Requests"], "no Requests"), or(versions["curl"], "no curl"))
	fmt.Println("| | here | Requests | net/http | curl |\n| --- | --- | --- | --- | --- |")
	for _, p := range promises {
		var got []string
		for _, c := range clients {
			if version, needed := versions[c.name]; needed && version == "" {
				got = append(got, "not measured")
				continue
			}
			got = append(got, p.measure(c))
		}
		fmt.Printf("| %s | %s |\n", p.what, strings.Join(got, " | "))
	}
}

// curlVersion is "" without curl.
func curlVersion() string { return firstWords("curl", "--version") }

// pythonVersion is "" without a python3 that has Requests.
func pythonVersion() string {
	return firstWords("python3", "-c", "import requests, urllib3; print('Requests', requests.__version__ + ', urllib3 ' + urllib3.__version__)")
}

// firstWords runs a program and returns the first line, of what tells versions.
func firstWords(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	before, _, _ := strings.Cut(line, " (")
	return before
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
