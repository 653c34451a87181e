package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mccutchen/go-httpbin/v2/httpbin"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mountable/requests/internal/wiretest"
)

// checked makes the leak check of the tests a testscript.TestingM, which runs the command where it is
// started as one.
func TestMain(m *testing.M) {
	testscript.Main(wiretest.Checked{M: m}, map[string]func(){"requests": main})
}

// TestScripts are in testdata: each has $URL, an httpbin of its own. "requests …" runs the command in
// this process, and "exits 4 requests …" wants that status; "exec requests …" starts it.
func TestScripts(t *testing.T) {
	folder, err := filepath.Abs("testdata") // while the working directory is that of the tests
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:   folder,
		Setup: setup,
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"requests": requestsCmd, "exits": exits},
	})
}

func setup(env *testscript.Env) error {
	server := httptest.NewServer(asIs(routes()))
	env.Defer(server.Close)
	env.Setenv("URL", server.URL)
	env.Setenv("HOST", strings.TrimPrefix(server.URL, "http://"))
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_CONFIG_HOME", env.WorkDir)
	return nil
}

// routes are httpbin's, and a file whose first download breaks off.
func routes() http.Handler {
	mux, broken := http.NewServeMux(), new(atomic.Bool)
	mux.Handle("/", httpbin.New(httpbin.WithUnsafeAllowDangerousResponses()))
	mux.HandleFunc("/broken/file.txt", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("Range") == "" && broken.CompareAndSwap(false, true) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("01234"))
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", epoch, strings.NewReader("0123456789"))
	})
	mux.HandleFunc("/target/", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, "%s %s\n", r.Method, r.RequestURI) })
	mux.HandleFunc("/escape", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("a\x1b[2Jb\n")) })
	return mux
}

// asIs gives a path with dot segments to its handler, which ServeMux would redirect.
func asIs(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = path.Clean(r.URL.Path)
		handler.ServeHTTP(w, r)
	})
}

// alone is held by a command that runs in this process: the folder and the environment are the process's.
var alone sync.Mutex

// runHere runs the command in the folder of a script.
func runHere(ts *testscript.TestScript, args []string) int {
	alone.Lock()
	defer alone.Unlock()
	old, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	defer func() { ts.Check(os.Chdir(old)) }()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME"} {
		ts.Check(os.Setenv(name, ts.Getenv(name)))
	}
	c := &command{stdout: ts.Stdout(), stderr: ts.Stderr()}
	return c.run(context.Background(), args)
}

func requestsCmd(ts *testscript.TestScript, neg bool, args []string) {
	if status := runHere(ts, args); (status != 0) != neg {
		ts.Fatalf("exit status %d", status)
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := runHere(ts, args[2:]); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// epoch is when the file was last changed.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
