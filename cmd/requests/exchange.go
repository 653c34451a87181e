package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// exchange sends the request and prints what was asked for.
func (c *command) exchange(ctx context.Context, f *flags) (status int, err error) {
	r, err := c.request(ctx, f)
	if err != nil {
		return 0, err
	}
	s, err := f.newSession()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	finish, err := c.prepare(ctx, s, r, f)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, finish()) }()
	out, done, err := c.output(f)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, done()) }()
	switch {
	case f.offline || f.curl:
		return 0, c.show(s, r, f, out)
	case f.download:
		return 0, c.download(ctx, s, r, f)
	}
	return c.send(ctx, s, r, f, out)
}

// prepare sets what the flags say of session and request. What it returns is called at the end.
func (c *command) prepare(ctx context.Context, s *requests.Session, r *requests.Request, f *flags) (finish func() error, err error) {
	given, err := c.credentials(ctx, f)
	if err != nil {
		return nil, err
	}
	if given != nil {
		r.Auth = given.auth()
	}
	switch {
	case f.follow || f.download:
		r.Send.Redirects = requests.On
	case f.fromCurl == "": // a command of curl says so itself
		r.Send.Redirects = requests.Off
	}
	var ends []func() error
	if name := cmp.Or(f.session, f.sessionReadOnly); name != "" {
		k, err := openKept(name, r.URL)
		if err != nil {
			return nil, err
		}
		k.apply(s, r, given)
		if f.session != "" && !f.offline && !f.curl {
			ends = append(ends, k.save)
		}
	}
	if f.har != "" {
		var har toolbelt.HAR
		for _, prefix := range []string{"http://", "https://"} {
			s.Mount(prefix, har.Wrap(requests.NewHTTPAdapter()))
		}
		ends = append(ends, func() error { return har.Save(f.har) })
	}
	return func() error {
		var failed error
		for _, end := range ends {
			failed = errors.Join(failed, end())
		}
		return failed
	}, nil
}

// output is where the response goes: --output, unless that is a download's.
func (c *command) output(f *flags) (out *printer, done func() error, err error) {
	if f.output == "" || f.download {
		to, terminal := c.stdout, c.stdoutTerminal
		if f.quiet {
			to, terminal = io.Discard, false
		}
		return f.printer(to, terminal), func() error { return nil }, nil
	}
	file, err := os.Create(f.output)
	if err != nil {
		return nil, nil, err
	}
	return f.printer(file, false), file.Close, nil
}

// show prints the request and sends nothing.
func (c *command) show(s *requests.Session, r *requests.Request, f *flags, out *printer) error {
	p, err := s.Prepare(r)
	if err != nil {
		return err
	}
	if f.curl {
		_, err := fmt.Fprintln(out, requests.AsCurl(p, requests.CurlSecrets))
		return err
	}
	return out.request(p, f.wants(c.stdoutTerminal))
}

// send sends the request and prints request and response.
func (c *command) send(ctx context.Context, s *requests.Session, r *requests.Request, f *flags, out *printer) (int, error) {
	r.Send.Stream = requests.On
	resp, err := s.Do(ctx, r)
	if err != nil {
		return 0, err
	}
	defer resp.Close()
	if err := out.chain(resp, f.all || f.verbose > 0, f.wants(c.stdoutTerminal && f.output == "")); err != nil {
		return 0, err
	}
	if !f.checkStatus {
		return 0, nil
	}
	return class(resp), nil
}
