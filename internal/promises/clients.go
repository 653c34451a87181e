package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// Certificates are not what is measured: each client is told not to check them.

func here(ctx context.Context, method, url string, headers [][2]string, body string) (int64, bool) {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	var content any
	if body != "" {
		content = body
	}
	r, err := s.Request(ctx, method, url, requests.Headers(headers), requests.Body(content), requests.Verify(false), requests.Stream(true))
	if err != nil {
		return 0, false
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	return n, err == nil
}

func netHTTP(ctx context.Context, method, url string, headers [][2]string, body string) (int64, bool) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, false
	}
	for _, f := range headers {
		req.Header.Add(f[0], f[1])
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	return n, err == nil
}

func curl(ctx context.Context, method, url string, headers [][2]string, body string) (int64, bool) {
	args := []string{"--disable", "--silent", "--insecure", "--location", "--compressed", "--noproxy", "*"}
	switch {
	case method == "PUT":
		args = append(args, "--upload-file", "-")
	case body != "":
		args = append(args, "--request", method, "--data-binary", body)
	case method != "GET":
		args = append(args, "--request", method)
	}
	for _, f := range headers {
		args = append(args, "--header", f[0]+": "+f[1])
	}
	cmd := exec.CommandContext(ctx, "curl", append(args, url)...)
	cmd.Stdin = strings.NewReader(body)
	out := new(counter)
	cmd.Stdout = out
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return 0, false
	}
	return out.n, err == nil
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// requestsScript sends what its standard input says, and prints how long the body was.
const requestsScript = `
import json, sys
import requests
ask = json.load(sys.stdin)
n = 0
try:
    session = requests.Session()
    session.trust_env = False
    requests.packages.urllib3.disable_warnings()
    r = session.request(ask["Method"], ask["URL"], headers=dict(ask["Headers"] or []), data=ask["Body"] or None, verify=False, stream=True)
    for piece in r.iter_content(1 << 16):
        n += len(piece)
except Exception:
    print(n)
    sys.exit(1)
print(n)
`

func python(ctx context.Context, method, url string, headers [][2]string, body string) (int64, bool) {
	ask, err := json.Marshal(struct {
		Method, URL, Body string
		Headers           [][2]string
	}{method, url, body, headers})
	if err != nil {
		return 0, false
	}
	cmd := exec.CommandContext(ctx, "python3", "-c", requestsScript)
	cmd.Stdin = bytes.NewReader(ask)
	out, err := cmd.Output()
	n, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return n, err == nil
}
