package toolbelt_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// receipts is a server that tells what it was sent.
func receipts() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if kind == "multipart/form-data" && r.ParseMultipartForm(1<<20) == nil {
			fmt.Fprintf(w, "%d bytes: %d values, %d files", r.ContentLength, len(r.MultipartForm.Value), len(r.MultipartForm.File))
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes: %s", r.ContentLength, body)
	}))
}

// answer prints the text of a reply.
func answer(r *requests.Response, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
}

func ExampleFields() {
	server := receipts()
	defer server.Close()
	answer(requests.Post(context.Background(), server.URL, toolbelt.Fields{
		{Name: "user", Value: "ada"},
		{Name: "report", Filename: "report.txt", Value: strings.NewReader("streamed"), ContentType: "text/plain"},
	}))
	// Output: 270 bytes: 1 values, 1 files <nil>
}

func ExampleNewMultipartEncoder() {
	e, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{
		{Name: "user", Value: "ada"},
		{Name: "note", Filename: "note.txt", Value: strings.NewReader("hello"), ContentType: "text/plain"},
	}, toolbelt.Boundary("XYZ"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e, e.ContentType())
	body, err := e.Bytes()
	fmt.Println(strings.ReplaceAll(string(body), "\r\n", "\n"), err)
	// Output:
	// <MultipartEncoder: 2 fields, 176 bytes> multipart/form-data; boundary=XYZ
	// --XYZ
	// Content-Disposition: form-data; name="user"
	//
	// ada
	// --XYZ
	// Content-Disposition: form-data; name="note"; filename="note.txt"
	// Content-Type: text/plain
	//
	// hello
	// --XYZ--
	//  <nil>
}

func ExampleMultipartEncoder_Apply() {
	server := receipts()
	defer server.Close()
	e, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "user", Value: "ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // it starts again each time
		answer(requests.Post(context.Background(), server.URL, e))
	}
	// Output:
	// 126 bytes: 1 values, 0 files <nil>
	// 126 bytes: 1 values, 0 files <nil>
}

func ExamplePath() {
	server := receipts()
	defer server.Close()
	name := "testdata/body_parts.json"
	answer(requests.Post(context.Background(), server.URL, toolbelt.Fields{{Name: "upload", Value: toolbelt.Path(name)}}))
	_, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "upload", Value: toolbelt.Path("no such file")}})
	fmt.Println(err)
	// Output:
	// 2330 bytes: 0 values, 1 files <nil>
	// field "upload": the file cannot be examined: stat no such file: no such file or directory
}

func ExampleMonitorFields() {
	server := receipts()
	defer server.Close()
	fields := toolbelt.Fields{{Name: "data", Filename: "data", Value: strings.Repeat("x", 300_000)}}
	m, err := toolbelt.MonitorFields(fields, func(m *toolbelt.Monitor) {
		fmt.Printf("%d %%\n", 100*m.BytesRead()/m.Len())
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer(requests.Post(context.Background(), server.URL, m))
	// Output:
	// 0 %
	// 43 %
	// 87 %
	// 99 %
	// 100 %
	// 300140 bytes: 0 values, 1 files <nil>
}

func ExampleNewMonitor() {
	body, err := toolbelt.NewStreamingIterator(5, strings.NewReader("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := toolbelt.NewMonitor(body, func(m *toolbelt.Monitor) { fmt.Println(m.BytesRead(), "of", m.Len()) })
	io.CopyN(os.Stdout, m, 2)
	fmt.Println()
	// Output:
	// 2 of 5
	// he
}

func ExampleNewStreamingIterator() {
	server := receipts()
	defer server.Close()
	var count iter.Seq[string] = func(yield func(string) bool) {
		for i := range 5 {
			if !yield(fmt.Sprint(i)) {
				return
			}
		}
	}
	body, err := toolbelt.NewStreamingIterator(5, count)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer(requests.Post(context.Background(), server.URL, body, requests.Headers{{"Content-Type", "text/plain"}}))
	// Output: 5 bytes: 01234 <nil>
}

func ExampleFileFromURL() {
	server := receipts()
	defer server.Close()
	source := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer source.Close()
	ctx := context.Background()
	s := requests.NewSession()
	defer s.Close()
	f, err := toolbelt.FileFromURL(ctx, s, source.URL+"/body_parts.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	answer(s.Post(ctx, server.URL, toolbelt.Fields{{Name: "file", Filename: "parts.json", Value: f}}))
	// Output: 2323 bytes: 0 values, 1 files <nil>
}

func ExampleNewMultipartDecoder() {
	content := "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
	d, err := toolbelt.NewMultipartDecoder([]byte(content), "multipart/mixed; boundary=b", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, part := range d.Parts {
		fmt.Println(part.Headers.Get("Content-Type"))
		fmt.Println(part.Text())
	}
	// Output:
	// text/plain
	// hello <nil>
}

func ExampleNewBodyPart() {
	part, err := toolbelt.NewBodyPart([]byte("Content-Type: text/plain\r\n\r\ngr\xfc\xdfe"), "latin-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(part.Text())
	// Output: grüße <nil>
}

// multipartServer sends two parts.
func multipartServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/mixed; boundary=b")
		io.WriteString(w, "--b\r\nName: a\r\n\r\none\ntwo\r\n--b\r\nName: b\r\n\r\nthree\r\n--b--\r\n")
	}))
}

func ExampleDecodeResponse() {
	server := multipartServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := toolbelt.DecodeResponse(r, "")
	fmt.Println(len(d.Parts), "parts", err)
	// Output: 2 parts <nil>
}

func ExampleParts() {
	server := multipartServer()
	defer server.Close()
	r, err := requests.Get(context.Background(), server.URL, requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	for part, err := range toolbelt.Parts(r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		lines := bufio.NewScanner(part)
		for lines.Scan() {
			fmt.Println(part.Headers.Get("Name"), lines.Text())
		}
	}
	// Output:
	// a one
	// a two
	// b three
}
