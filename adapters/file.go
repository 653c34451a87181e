package adapters

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/mountable/requests"
)

// File serves file:// URLs out of one directory: "file:///a/b.txt" is a/b.txt below root.
// Mount it on "file://". Neither ".." nor a symbolic link leads out of root ([os.Root]),
// and no redirect ever leads to a file.
//
// GET and HEAD get the file, with Content-Length, Content-Type, Last-Modified, ranges and
// conditions as [http.ServeContent] has them. What does not exist is 404, what may not be
// read, is a directory, or lies outside of root 403, any other method 405.
func File(root string) (requests.Adapter, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, invalid("File: root %q: %v", root, err)
	}
	if info, err := os.Stat(absolute); err != nil || !info.IsDir() {
		return nil, invalid("File: root %q: expected a directory", root)
	}
	return fileAdapter{handlerAdapter{fileHandler(absolute)}}, nil
}

type fileAdapter struct{ handlerAdapter }

// Send implements [requests.Adapter].
func (a fileAdapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "file" || u.Opaque != "" || u.Host != "" && !strings.EqualFold(u.Host, "localhost") {
		return nil, &requests.Error{Kind: requests.ErrInvalidURL, Request: p, Detail: "expected file:///path, of this machine"}
	}
	return a.handlerAdapter.Send(ctx, p, opts)
}

// fileHandler serves the files below the directory it is the path of.
type fileHandler string

// ServeHTTP implements [http.Handler].
func (root fileHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "GET" && r.Method != "HEAD" {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	file, info, err := root.open(r.URL.Path)
	if err != nil {
		status := http.StatusForbidden
		if errors.Is(err, fs.ErrNotExist) {
			status = http.StatusNotFound
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	defer file.Close()
	http.ServeContent(w, r, info.Name(), info.ModTime(), file)
}

// open opens a regular file. It looks before opening: opening a pipe would wait.
func (root fileHandler) open(path string) (*os.File, fs.FileInfo, error) {
	dir, err := os.OpenRoot(string(root))
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	name := filepath.FromSlash(strings.TrimLeft(path, "/"))
	info, err := dir.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fs.ErrPermission
	}
	file, err := dir.Open(name)
	return file, info, err
}
