package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// download saves the body under the name of --output, of the server or of the URL. Only the response is
// treated in another way: the request is what it is without --download, but for its Accept-Encoding.
func (c *command) download(ctx context.Context, s *requests.Session, r *requests.Request, f *flags) error {
	var options []toolbelt.DownloadOption
	if f.output != "" {
		options = append(options, toolbelt.Overwrite())
	}
	shown := c.stderrTerminal && !f.quiet
	if shown {
		options = append(options, toolbelt.OnProgress(c.progress))
	}
	r.Headers.Del("Accept-Encoding")
	path, err := c.downloadWith(ctx, &downloader{s, r, c.downloadPrinter(f), f}, append(options, toolbelt.NameFromURL()))
	if shown {
		fmt.Fprintln(c.stderr)
	}
	if err != nil || f.quiet {
		return err
	}
	_, err = fmt.Fprintf(c.stderr, "saved as %s\n", filepath.Clean(path))
	return err
}

// downloadWith asks again for what a broken connection has left out, where that is safe: for a GET
// without a body.
func (c *command) downloadWith(ctx context.Context, d *downloader, options []toolbelt.DownloadOption) (string, error) {
	if d.r.Method == "GET" && d.r.Body == nil && d.r.JSON == nil && d.r.Form == nil && d.r.Files == nil {
		if d.f.resume {
			options = append(options, toolbelt.KeepPartial())
		}
		return toolbelt.Download(ctx, d, d.r.URL, d.f.output, options...)
	}
	if d.f.resume {
		return "", misuse("--continue is for GET without a body")
	}
	resp, err := d.Get(ctx, d.r.URL, requests.Headers{{"Accept-Encoding", "identity"}}, requests.Stream(true))
	if err != nil {
		return "", err
	}
	defer resp.Close()
	if err := resp.RaiseForStatus(); err != nil {
		return "", err
	}
	return toolbelt.StreamResponseToFile(resp, d.f.output, options...)
}

// downloader is a [toolbelt.Getter] that sends the request of the command line, with what a download adds.
type downloader struct {
	s   *requests.Session
	r   *requests.Request
	out *printer
	f   *flags
}

// Get implements [toolbelt.Getter]. A redirect that leads nowhere, or a 304, is not the file.
func (d *downloader) Get(ctx context.Context, _ string, options ...requests.Option) (*requests.Response, error) {
	r := *d.r
	r.Headers = r.Headers.Clone()
	for _, option := range options {
		if err := option.Apply(&r); err != nil {
			return nil, err
		}
	}
	resp, err := d.s.Do(ctx, &r)
	if err != nil {
		return nil, err
	}
	err = d.out.chain(resp, d.f.all || d.f.verbose > 0, d.f.downloadWants())
	if err == nil && resp.StatusCode/100 == 3 {
		err = &requests.Error{Kind: requests.ErrHTTP, Request: resp.Request, Response: resp, Detail: fmt.Sprintf("%d %s: it is not followed, and not a file", resp.StatusCode, resp.Reason)}
	}
	if err != nil {
		_ = resp.Close()
		return nil, err
	}
	return resp, nil
}

// downloadWants is what is printed of a download's exchange: what is asked for, but for the body.
func (f *flags) downloadWants() string {
	wants := f.parts()
	if wants == "" {
		wants = f.print
	}
	return strings.ReplaceAll(wants, "b", "")
}

// downloadPrinter writes where the progress stands.
func (c *command) downloadPrinter(f *flags) *printer {
	if f.quiet {
		return f.printer(io.Discard, false)
	}
	return f.printer(c.stderr, c.stderrTerminal)
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
