package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os/exec"
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
