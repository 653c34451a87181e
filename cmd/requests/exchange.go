package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	if f.fromCurl == "" {
		r.Send.Redirects = map[bool]requests.Toggle{true: requests.On, false: requests.Off}[f.follow || f.download]
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
		return newPrinter(to, terminal, f.pretty), func() error { return nil }, nil
	}
	file, err := os.Create(f.output)
	if err != nil {
		return nil, nil, err
	}
	return newPrinter(file, false, f.pretty), file.Close, nil
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
	hops := []*requests.Response{resp}
	if f.all {
		hops = append(append([]*requests.Response{}, resp.History...), resp)
	}
	wants := f.wants(c.stdoutTerminal && f.output == "")
	for _, hop := range hops {
		if err := out.request(hop.Request, wants); err != nil {
			return 0, err
		}
		if err := out.response(hop, wants); err != nil {
			return 0, err
		}
		if err := out.meta(hop, wants); err != nil {
			return 0, err
		}
	}
	return class(resp), nil
}

// download saves the body under the name of --output, of the server or of the URL.
func (c *command) download(ctx context.Context, s *requests.Session, r *requests.Request, f *flags) error {
	if r.Method != "GET" || r.Body != nil || r.JSON != nil || r.Form != nil {
		return misuse("--download is for GET without a body")
	}
	call := requests.OptionFunc(func(to *requests.Request) error {
		to.Headers, to.WithoutHeaders, to.Params, to.Auth = append(r.Headers.Clone(), to.Headers...), r.WithoutHeaders, r.Params, r.Auth
		return nil
	})
	options := []toolbelt.DownloadOption{toolbelt.NameFromURL(), toolbelt.RequestOptions(call)}
	if f.resume {
		options = append(options, toolbelt.KeepPartial())
	}
	if f.output != "" {
		options = append(options, toolbelt.Overwrite())
	}
	shown := c.stderrTerminal && !f.quiet
	if shown {
		options = append(options, toolbelt.OnProgress(c.progress))
	}
	path, err := toolbelt.Download(ctx, s, r.URL, f.output, options...)
	if shown {
		fmt.Fprintln(c.stderr)
	}
	if err != nil || f.quiet {
		return err
	}
	_, err = fmt.Fprintf(c.stderr, "saved as %s\n", filepath.Clean(path))
	return err
}

// progress draws how far a download is.
func (c *command) progress(done, total int64) {
	const mega = 1 << 20
	text := fmt.Sprintf("\r%.1f MB", float64(done)/mega)
	if total > 0 {
		text = fmt.Sprintf("\r%3d %% of %.1f MB", done*100/total, float64(total)/mega)
	}
	_, _ = io.WriteString(c.stderr, text)
}
