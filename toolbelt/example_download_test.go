package toolbelt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// fileServer serves one file, in ranges too, under whatever path.
func fileServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="greeting.txt"`)
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("hello, hello"))
	}))
}

// temporary makes a directory that the example removes.
func temporary() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

func ExampleStreamResponseToFile() {
	server := fileServer()
	defer server.Close()
	dir, remove := temporary()
	defer remove()

	for range 2 {
		r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer r.Close()
		path, err := toolbelt.StreamResponseToFile(r, dir, toolbelt.Mode(0o600))
		fmt.Println(filepath.Base(path), errors.Is(err, toolbelt.ErrStreaming), errors.Is(err, os.ErrExist))
	}
	// Output:
	// greeting.txt false false
	// . true true
}

func ExampleStreamResponseToWriter() {
	server := fileServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	n, err := toolbelt.StreamResponseToWriter(r, io.Discard, toolbelt.ChunkSize(5),
		toolbelt.OnProgress(func(done, total int64) { fmt.Println(done, "of", total) }))
	fmt.Println(n, err)
	// Output:
	// 5 of 12
	// 10 of 12
	// 12 of 12
	// 12 of 12
	// 12 <nil>
}

func ExampleDownloadPath() {
	r := requests.NewResponse(nil, 200, nil, nil)
	r.URL = "https://h.example/files/data.bin?v=2"
	fmt.Println(toolbelt.DownloadPath(r, "mine.bin"))
	fmt.Println(toolbelt.DownloadPath(r, "", toolbelt.NameFromURL()))
	_, err := toolbelt.DownloadPath(r, "")
	fmt.Println(err)
	// Output:
	// mine.bin <nil>
	// data.bin <nil>
	// the response names no file to stream it to
}

func ExampleChecksum() {
	server := fileServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := toolbelt.Checksum("md5", "00000000000000000000000000000000")
	_, err = toolbelt.StreamResponseToWriter(r, io.Discard, sum, toolbelt.IgnoreDigest())
	fmt.Println(errors.Is(err, toolbelt.ErrChecksum))
	// Output: true
}

func ExampleTee() {
	server := fileServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	var copied bytes.Buffer
	for chunk, err := range toolbelt.Tee(r, &copied, toolbelt.Decoded(), toolbelt.ChunkSize(7)) {
		fmt.Printf("%q %v\n", chunk, err)
	}
	fmt.Printf("%q\n", copied.String())
	// Output:
	// "hello, " <nil>
	// "hello" <nil>
	// "hello, hello"
}

func ExampleTeeToFile() {
	server := fileServer()
	defer server.Close()
	dir, remove := temporary()
	defer remove()
	path := filepath.Join(dir, "copy")
	r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	for chunk, err := range toolbelt.TeeToFile(r, path, toolbelt.Overwrite()) {
		fmt.Printf("%q %v\n", chunk, err)
	}
	content, err := os.ReadFile(path)
	fmt.Printf("%q %v\n", content, err)
	// Output:
	// "hello, hello" <nil>
	// "hello, hello" <nil>
}

func ExampleTeeToBytes() {
	server := fileServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	var kept []byte
	for _, err := range toolbelt.TeeToBytes(r, &kept) {
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%s\n", kept)
	// Output: hello, hello
}

func ExampleDownload() {
	server := fileServer()
	defer server.Close()
	dir, remove := temporary()
	defer remove()
	s := requests.NewSession()
	defer s.Close()
	path, err := toolbelt.Download(context.Background(), s, server.URL, filepath.Join(dir, "file"),
		toolbelt.KeepPartial(),
		toolbelt.Attempts(10),
		toolbelt.RequestOptions(requests.Timeout(10*time.Second)))
	fmt.Println(filepath.Base(path), err)
	// Output: file <nil>
}

func ExampleParallel() {
	server := fileServer()
	defer server.Close()
	dir, remove := temporary()
	defer remove()
	s := requests.NewSession()
	defer s.Close()
	path, err := toolbelt.Download(context.Background(), s, server.URL, filepath.Join(dir, "file"), toolbelt.Parallel(4))
	fmt.Println(filepath.Base(path), err)
	// Output: file <nil>
}

func ExampleFilename() {
	name, ok := toolbelt.Filename(`attachment; filename="plan.pdf"; filename*=UTF-8''plan%20%E2%82%AC.pdf`)
	fmt.Println(name, ok)
	// Output: plan €.pdf true
}

func ExampleSafeFilename() {
	name, ok := toolbelt.SafeFilename(`..\..\Windows\.evil?.exe`)
	fmt.Println(name, ok)
	// Output: evil_.exe true
}
