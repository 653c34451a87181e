package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests/internal/wiretest"
)

// exchangeChecks are about how exchanges end, fail, and go both ways.
var exchangeChecks = []check{
	{name: "cancellation", serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // net/http's client may take the end of a canceled body for that of a whole one
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/head", "/body"} {
			ctx, cancel := context.WithCancel(limited(t))
			stop := time.AfterFunc(100*time.Millisecond, cancel)
			resp, err := rt.RoundTrip(get(t, "GET", base+path, nil).WithContext(ctx))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			stop.Stop()
			cancel()
			out = append(out, fmt.Sprint(class(err), err == context.Canceled))
		}
		return out
	}},
	{name: "cancellation with a cause", serve: func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		run: func(t *testing.T, rt http.RoundTripper, base string) any {
			cause := errors.New("the cause")
			ctx, cancel := context.WithCancelCause(limited(t))
			stop := time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
			defer stop.Stop()
			_, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(ctx))
			return fmt.Sprint(errors.Is(err, cause))
		}},
	{name: "client timeout", serve: func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		run: func(t *testing.T, rt http.RoundTripper, base string) any {
			client := &http.Client{Transport: rt, Timeout: 100 * time.Millisecond}
			_, err := client.Get(base)
			failed, ok := errors.AsType[*url.Error](err)
			return fmt.Sprint(ok && failed.Timeout(), errors.Is(err, context.DeadlineExceeded))
		}},
	{name: "req.Cancel", serve: func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		run: func(t *testing.T, rt http.RoundTripper, base string) any {
			cancel := make(chan struct{})
			req := get(t, "GET", base+"/", nil).WithContext(limited(t))
			//lint:ignore SA1019 net/http still promises that it works
			req.Cancel = cancel
			stop := time.AfterFunc(100*time.Millisecond, func() { close(cancel) })
			defer stop.Stop()
			start := time.Now()
			_, err := rt.RoundTrip(req)
			return fmt.Sprint(err != nil, time.Since(start) < 5*time.Second)
		}},
	{name: "dial error", protocols: []string{"h1"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		_, err := rt.RoundTrip(get(t, "GET", "http://"+wiretest.Closed(t)+"/", nil).WithContext(limited(t)))
		op, ok := errors.AsType[*net.OpError](err)
		return fmt.Sprint(ok && op.Op == "dial")
	}},
	{name: "unknown authority", protocols: []string{"tls"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		server := newStranger(t)
		_, err := rt.RoundTrip(get(t, "GET", server, nil).WithContext(limited(t)))
		_, bare := err.(*tls.CertificateVerificationError)
		return fmt.Sprint(err != nil, bare)
	}},
	{name: "TLS state", protocols: []string{"tls", "h2"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(limited(t)))
		if err != nil {
			return err
		}
		resp.Body.Close()
		return fmt.Sprint(resp.TLS.HandshakeComplete, len(resp.TLS.PeerCertificates), resp.TLS.NegotiatedProtocol, resp.Proto)
	}},
	{name: "interim responses", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a>")
		w.WriteHeader(103)
		w.WriteHeader(200)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var seen []string
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			seen = append(seen, fmt.Sprint(code, h["Link"]))
			return nil
		}}
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(httptrace.WithClientTrace(limited(t), trace)))
		if err != nil {
			return err
		}
		resp.Body.Close()
		return fmt.Sprint(seen, resp.StatusCode)
	}},
	{name: "trace", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var mu sync.Mutex
		var order []string
		note := func(s string) { mu.Lock(); order = append(order, s); mu.Unlock() }
		trace := &httptrace.ClientTrace{
			GetConn:           func(string) { note("GetConn") },
			GotConn:           func(i httptrace.GotConnInfo) { note(fmt.Sprint("GotConn ", i.Reused, i.Conn != nil)) },
			ConnectStart:      func(string, string) { note("ConnectStart") },
			ConnectDone:       func(_, _ string, err error) { note(fmt.Sprint("ConnectDone ", err)) },
			TLSHandshakeStart: func() { note("TLSHandshakeStart") },
			TLSHandshakeDone: func(s tls.ConnectionState, err error) {
				note(fmt.Sprint("TLSHandshakeDone ", s.HandshakeComplete, err))
			},
			WroteHeaders:         func() { note("WroteHeaders") },
			WroteRequest:         func(i httptrace.WroteRequestInfo) { note(fmt.Sprint("WroteRequest ", i.Err)) },
			GotFirstResponseByte: func() { note("GotFirstResponseByte") },
		}
		for range 2 {
			resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(httptrace.WithClientTrace(limited(t), trace)))
			if err != nil {
				return err
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			mu.Lock()
			if i := slices.Index(order, "GotFirstResponseByte"); i >= 0 { // of another goroutine: it may overtake the writer's
				order = append(slices.Delete(order, i, i+1), "first byte")
			}
			mu.Unlock()
		}
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(order, "\n")
	}},
	{name: "full duplex", serve: func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		io.Copy(w, r.Body)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		const size = 8 << 20
		resp, err := rt.RoundTrip(get(t, "POST", base+"/", io.NopCloser(io.LimitReader(zeros{}, size))).WithContext(limited(t)))
		if err != nil {
			return class(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return fmt.Sprint(n == size, class(err))
	}},
	{name: "pipe both ways", serve: func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(bytes.ToUpper(buf[:n]))
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		pr, pw := io.Pipe()
		resp, err := rt.RoundTrip(get(t, "POST", base+"/", pr).WithContext(limited(t)))
		if err != nil {
			return class(err)
		}
		defer resp.Body.Close()
		var out []string
		for _, word := range []string{"one", "two", "three"} {
			io.WriteString(pw, word)
			buf := make([]byte, len(word))
			_, err := io.ReadFull(resp.Body, buf)
			out = append(out, fmt.Sprint(string(buf), class(err)))
		}
		pw.Close()
		rest, err := io.ReadAll(resp.Body)
		return fmt.Sprint(out, len(rest), class(err))
	}},
	{name: "early refusal of a slow body", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "no", http.StatusForbidden)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		pr, pw := io.Pipe()
		defer pw.Close()
		go io.WriteString(pw, "start")
		start := time.Now()
		resp, err := rt.RoundTrip(get(t, "POST", base+"/", pr).WithContext(limited(t)))
		if err != nil {
			return class(err)
		}
		resp.Body.Close()
		return fmt.Sprint(resp.StatusCode, time.Since(start) < 8*time.Second) // and not by the end of the context
	}},
	{name: "expect continue", protocols: []string{"h1", "tls"}, serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(417)
			return
		}
		echo(w, r)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/take", "/refuse"} {
			body := &closing{Reader: strings.NewReader("body")}
			req := get(t, "POST", base+path, body)
			req.ContentLength = 4
			req.Header.Set("Expect", "100-continue")
			out = append(out, exchange(t, rt, req), fmt.Sprint(body.read()))
		}
		return out
	}},
	{name: "upgrade", protocols: []string{"h1", "tls"}, serve: upgrade, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		req := get(t, "GET", base+"/", nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		resp, err := rt.RoundTrip(req.WithContext(limited(t)))
		if err != nil {
			return class(err)
		}
		defer resp.Body.Close()
		rw, ok := resp.Body.(io.ReadWriteCloser)
		if !ok {
			return "not a ReadWriteCloser"
		}
		io.WriteString(rw, "hello")
		buf := make([]byte, 5)
		_, err = io.ReadFull(rw, buf)
		return fmt.Sprint(resp.StatusCode, resp.Header["Upgrade"], string(buf), class(err))
	}},
	{name: "dead connections", protocols: []string{"h1", "tls"}, serve: func(w http.ResponseWriter, r *http.Request) {
		c, _, _ := http.NewResponseController(w).Hijack()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if r.Header.Get("X-Last") != "" {
			c.Close()
			return
		}
		c.Close()
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for range 3 {
			req := get(t, "POST", base+"/", strings.NewReader("x"))
			req.Header.Set("Idempotency-Key", "7")
			out = append(out, exchange(t, rt, req))
			time.Sleep(20 * time.Millisecond)
		}
		return out
	}},
	{name: "request is not modified", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		req := get(t, "POST", base+"/", strings.NewReader("x"))
		req.Header.Set("X-A", "1")
		before := fmt.Sprint(req.Header, req.URL, req.ContentLength, req.Host, req.TransferEncoding)
		exchange(t, rt, req)
		return before == fmt.Sprint(req.Header, req.URL, req.ContentLength, req.Host, req.TransferEncoding)
	}},
	{name: "large file", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		f := tempFile(t, 1<<20)
		req := get(t, "PUT", base+"/", f)
		req.ContentLength = 1 << 20
		return exchange(t, rt, req)
	}},
}

func upgrade(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	rw.Flush()
	buf := make([]byte, 5)
	if _, err := io.ReadFull(rw, buf); err == nil {
		c.Write(buf)
	}
}
