package toolbelt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// flaky serves a body with ranges and breaks off after a number of bytes.
type flaky struct {
	body      string
	fields    [][2]string // of each reply
	each      int         // bytes a reply, 0 for all
	noRanges  bool
	ignoresIf bool
	shift     int                   // added to the start in Content-Range
	change    func(n int, f *flaky) // before request n, from 1
	override  func(n int) (wiretest.Reply, bool)
	requests  int
}

func (f *flaky) reply(r *wiretest.Request) wiretest.Reply {
	f.requests++
	if f.change != nil {
		f.change(f.requests, f)
	}
	if f.override != nil {
		if reply, ok := f.override(f.requests); ok {
			return reply
		}
	}
	start, status, fields := f.start(r), "200 OK", f.fields
	if start > 0 && start >= len(f.body) {
		return wiretest.Text(416, "", [2]string{"Content-Range", fmt.Sprintf("bytes */%d", len(f.body))})
	}
	if start > 0 {
		status = "206 Partial Content"
		fields = append(fields[:len(fields):len(fields)],
			[2]string{"Content-Range", fmt.Sprintf("bytes %d-%d/%d", start+f.shift, len(f.body)-1, len(f.body))})
	}
	rest := f.body[start:]
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %s\r\nContent-Length: %d\r\n", status, len(rest))
	for _, field := range fields {
		fmt.Fprintf(&head, "%s: %s\r\n", field[0], field[1])
	}
	head.WriteString("\r\n")
	if f.each == 0 || len(rest) <= f.each {
		return wiretest.Send(head.String() + rest)
	}
	return wiretest.Send(head.String() + rest[:f.each]).ThenClose()
}

// start is where the request wants to begin, if the validator still holds.
func (f *flaky) start(r *wiretest.Request) int {
	from, ok := strings.CutPrefix(r.Get("Range"), "bytes=")
	if !ok || f.noRanges {
		return 0
	}
	condition := r.Get("If-Range")
	for _, field := range f.fields {
		if (field[0] == "ETag" || field[0] == "Last-Modified") && (field[1] == condition || f.ignoresIf) {
			n, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
			return n
		}
	}
	return 0
}

func etag(tag string) [][2]string { return [][2]string{{"ETag", `"` + tag + `"`}} }

// ranges are the ranges that were asked for, with their conditions.
func ranges(server *wiretest.Server) []string {
	var all []string
	for _, r := range server.Requests() {
		all = append(all, strings.TrimSpace(r.Get("Range")+" "+r.Get("If-Range")))
	}
	return all
}

const resumeText = "0123456789abcdef"

func TestDownload(t *testing.T) {
	dates := [][2]string{{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Date", "Sun, 06 Nov 1994 08:50:37 GMT"}}
	young := [][2]string{dates[0], {"Date", dates[0][1]}}
	tests := map[string]struct {
		server flaky
		want   []string // ranges
	}{
		"at once":       {flaky{fields: etag("a")}, []string{""}},
		"in parts":      {flaky{fields: etag("a"), each: 6}, []string{"", `bytes=6- "a"`, `bytes=12- "a"`}},
		"byte by byte":  {flaky{fields: etag("a"), each: 15}, []string{"", `bytes=15- "a"`}},
		"by date":       {flaky{fields: dates, each: 10}, []string{"", "bytes=10- " + dates[0][1]}},
		"date too new":  {flaky{fields: young, each: 10, change: whole(3)}, []string{"", "", ""}},
		"weak":          {flaky{fields: [][2]string{{"ETag", `W/"a"`}}, each: 10, change: whole(2)}, []string{"", ""}},
		"no validator":  {flaky{each: 10, change: whole(2)}, []string{"", ""}},
		"no ranges":     {flaky{fields: append(etag("a"), [2]string{"Accept-Ranges", "none"}), each: 10, change: whole(2)}, []string{"", ""}},
		"range ignored": {flaky{fields: etag("a"), each: 10, noRanges: true, change: whole(2)}, []string{"", `bytes=10- "a"`}},
		"wrong part":    {flaky{fields: etag("a"), each: 10, shift: 1, change: whole(3)}, []string{"", `bytes=10- "a"`, ""}},
		"changed":       {flaky{fields: etag("old"), each: 10, change: renewed(false)}, []string{"", `bytes=10- "old"`, `bytes=10- "new"`}},
		"changed, but the server does not look": {flaky{fields: etag("old"), each: 10, change: renewed(true)},
			[]string{"", `bytes=10- "old"`, "", `bytes=10- "new"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.server.body = resumeText
			server := wiretest.Start(t, wiretest.Config{Handler: test.server.reply})
			s := requests.NewSession()
			defer s.Close()
			dir := t.TempDir()
			var last [2]int64
			path, err := Download(t.Context(), s, server.URL("/"), filepath.Join(dir, "f"),
				OnProgress(func(done, total int64) { last = [2]int64{done, total} }))
			if err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, path); got != test.server.body {
				t.Errorf("the file has %q, want %q", got, test.server.body)
			}
			if diff := cmp.Diff(test.want, ranges(server)); diff != "" {
				t.Errorf("the ranges (-want +got):\n%s", diff)
			}
			if n := int64(len(test.server.body)); last != [2]int64{n, n} || len(entries(t, dir)) != 1 {
				t.Errorf("progress ends with %v, in the directory is %v", last, entries(t, dir))
			}
		})
	}
}

// whole makes the server stable from request n on.
func whole(n int) func(int, *flaky) {
	return func(now int, f *flaky) {
		if now >= n {
			f.each = 0
		}
	}
}

// renewed gives the server another body from the second request on.
func renewed(ignoresIf bool) func(int, *flaky) {
	return func(now int, f *flaky) {
		if now == 2 {
			f.body, f.fields, f.ignoresIf = strings.ToUpper(resumeText), etag("new"), ignoresIf
		}
	}
}

func TestDownloadFails(t *testing.T) {
	tests := map[string]struct {
		server  flaky
		options []DownloadOption
		path    string
		want    error
		asked   int
	}{
		"status":        {flaky{override: replies(wiretest.Text(404, "no"))}, nil, "f", requests.ErrHTTP, 1},
		"no content":    {flaky{override: replies(wiretest.Send("HTTP/1.1 204 No Content\r\n\r\n"))}, nil, "f", ErrStreaming, 1},
		"a part":        {flaky{override: replies(wiretest.Text(206, "part", [2]string{"Content-Range", "bytes 0-3/9"}))}, nil, "f", ErrStreaming, 1},
		"no name":       {flaky{}, nil, "", ErrStreaming, 1},
		"exists":        {flaky{}, nil, "old", fs.ErrExist, 0},
		"checksum":      {flaky{fields: etag("a"), each: 6}, []DownloadOption{Checksum("md5", strings.Repeat("0", 32))}, "f", ErrChecksum, 3},
		"digest":        {flaky{fields: append(etag("a"), [2]string{"Repr-Digest", digestOf("other")}), each: 6}, nil, "f", ErrChecksum, 3},
		"never more":    {flaky{each: 0, override: replies(wiretest.Drop())}, []DownloadOption{Attempts(2)}, "f", requests.ErrConnection, 4},
		"one attempt":   {flaky{fields: etag("a"), each: 6}, []DownloadOption{Attempts(1)}, "f", requests.ErrChunkedEncoding, 1},
		"attempts":      {flaky{}, []DownloadOption{Attempts(0)}, "f", requests.ErrInvalidArgument, 0},
		"no directory":  {flaky{}, nil, "no/f", requests.ErrFile, 1},
		"nor for notes": {flaky{}, []DownloadOption{KeepPartial()}, "no/f", requests.ErrFile, 1},
		"keep what":     {flaky{}, []DownloadOption{KeepPartial()}, "", requests.ErrInvalidArgument, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.server.body = resumeText
			server := wiretest.Start(t, wiretest.Config{Handler: test.server.reply})
			s := requests.NewSession()
			defer s.Close()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "old"), "old")
			path, err := Download(t.Context(), s, server.URL("/"), filepath.Join(dir, test.path), test.options...)
			if !errors.Is(err, test.want) || path != "" {
				t.Errorf("got %q, %v, want %v", path, err, test.want)
			}
			if n := len(server.Requests()); n > test.asked {
				t.Errorf("asked %d times, want %d", n, test.asked)
			}
			if diff := cmp.Diff([]string{"old"}, entries(t, dir)); diff != "" {
				t.Errorf("the directory (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDownloadGoesForward: a part that ends before it said, in any framing, is a failure
// that counts, and none that is longer is believed.
func TestDownloadGoesForward(t *testing.T) {
	const first = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
	part := func(status, of, chunks string) wiretest.Reply {
		return wiretest.Send("HTTP/1.1 " + status + "\r\nETag: \"e\"\r\nContent-Range: bytes " + of + "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n")
	}
	for name, test := range map[string]struct {
		then wiretest.Reply
		want error
	}{
		"an empty part":           {part("206 Partial Content", "5-9/*", ""), requests.ErrChunkedEncoding},
		"of known length":         {part("206 Partial Content", "5-9/10", ""), requests.ErrChunkedEncoding},
		"under the status of all": {part("200 OK", "5-9/*", ""), requests.ErrChunkedEncoding},
		"shorter than it said":    {part("206 Partial Content", "5-9/*", "2\r\nfg\r\n"), requests.ErrChunkedEncoding},
		"longer than it said":     {part("206 Partial Content", "5-5/*", "2\r\nfg\r\n"), requests.ErrChunkedEncoding},
	} {
		asked := 0
		server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
			if asked++; r.Get("Range") != "bytes=5-" {
				return wiretest.Send(first).ThenClose()
			}
			return test.then
		}})
		s := requests.NewSession()
		defer s.Close()
		_, err := Download(t.Context(), s, server.URL("/"), filepath.Join(t.TempDir(), "f"), Attempts(3))
		if !errors.Is(err, test.want) || asked > 6 {
			t.Errorf("%s: %v after %d requests", name, err, asked)
		}
	}
}

func replies(r wiretest.Reply) func(int) (wiretest.Reply, bool) {
	return func(int) (wiretest.Reply, bool) { return r, true }
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// padNote makes the note of a partial download of that size, with blanks.
func padNote(dir string, size int) {
	text, _ := os.ReadFile(dir + "/f.part.json")
	os.WriteFile(dir+"/f.part.json", append(text, bytes.Repeat([]byte(" "), size-len(text))...), 0o600)
}

func TestDownloadKeepsPartial(t *testing.T) {
	sum := sha256.Sum256([]byte(resumeText))
	good := Checksum("sha256", hex.EncodeToString(sum[:]))
	fields := append(etag("a"), [2]string{"Repr-Digest", digestOf(resumeText)})
	tests := map[string]struct {
		between func(f *flaky, dir string)
		path    string // of the second URL
		body    string
		want    string // second range
		err     error
	}{
		"goes on":      {nil, "/", resumeText, `bytes=6- "a"`, nil},
		"other URL":    {nil, "/other", resumeText, "", nil},
		"changed":      {func(f *flaky, _ string) { f.body, f.fields = "short", etag("b") }, "/", "short", `bytes=6- "a"`, nil},
		"all there":    {func(f *flaky, dir string) { os.WriteFile(dir+"/f.part", []byte(resumeText), 0o600) }, "/", resumeText, `bytes=16- "a"`, nil},
		"too much":     {func(f *flaky, dir string) { os.WriteFile(dir+"/f.part", []byte(resumeText+"x"), 0o600) }, "/", resumeText, `bytes=17- "a"`, nil},
		"spoilt":       {func(f *flaky, dir string) { os.WriteFile(dir+"/f.part", []byte("spoilt"), 0o600) }, "/", "", `bytes=6- "a"`, ErrChecksum},
		"no part":      {func(f *flaky, dir string) { os.Remove(dir + "/f.part") }, "/", resumeText, "", nil},
		"no note":      {func(f *flaky, dir string) { os.Remove(dir + "/f.part.json") }, "/", "", "-", fs.ErrExist},
		"bad note":     {func(f *flaky, dir string) { os.WriteFile(dir+"/f.part.json", []byte("{"), 0o600) }, "/", "", "-", fs.ErrExist},
		"small note":   {func(f *flaky, dir string) { padNote(dir, maxNote-1) }, "/", resumeText, `bytes=6- "a"`, nil},
		"large note":   {func(f *flaky, dir string) { padNote(dir, maxNote) }, "/", resumeText, `bytes=6- "a"`, nil},
		"larger note":  {func(f *flaky, dir string) { padNote(dir, maxNote+1) }, "/", "", "-", fs.ErrExist},
		"a link":       {func(f *flaky, dir string) { relink(dir + "/f.part") }, "/", "", "-", ErrStreaming},
		"name is gone": {func(f *flaky, dir string) { os.WriteFile(dir+"/f", []byte("old"), 0o600) }, "/", "old", "-", fs.ErrExist},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := &flaky{body: resumeText, fields: fields, each: 6}
			server := wiretest.Start(t, wiretest.Config{Handler: f.reply})
			s := requests.NewSession()
			defer s.Close()
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			_, err := Download(t.Context(), s, server.URL("/"), path, KeepPartial(), Attempts(1))
			if !errors.Is(err, requests.ErrChunkedEncoding) {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"f.part", "f.part.json"}, entries(t, dir)); diff != "" {
				t.Fatalf("the directory after the first (-want +got):\n%s", diff)
			}
			f.each = 0
			if test.between != nil {
				test.between(f, dir)
			}
			options := []DownloadOption{KeepPartial(), good}
			if name == "changed" {
				options = options[:1]
			}
			if _, err = Download(t.Context(), s, server.URL(test.path), path, options...); !errors.Is(err, test.err) {
				t.Errorf("the error is %v, want %v", err, test.err)
			}
			content, _ := os.ReadFile(path)
			if string(content) != test.body {
				t.Errorf("the file has %q, want %q", content, test.body)
			}
			if all := ranges(server); len(all) > 1 && all[1] != test.want || len(all) == 1 && test.want != "-" {
				t.Errorf("the ranges are %q, want %q", all, test.want)
			}
			if left := entries(t, dir); test.err == nil && len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestDownloadIsWhole: however a server answers a request for the rest, the file that
// appears is the whole, or there is none.
func TestDownloadIsWhole(t *testing.T) {
	const (
		whole = "0123456789abcdefghij"
		cut   = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 20\r\n\r\n01234"
		open  = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"
	)
	reply := func(status, body string, fields ...string) string {
		head := "HTTP/1.1 " + status + "\r\n"
		for _, f := range fields {
			head += f + "\r\n"
		}
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	tag, rest := `ETag: "e"`, "Content-Range: bytes 5-19/20"
	all := reply("200 OK", whole, tag)
	const onward, anew = "bytes=5-", ""
	tests := map[string]struct {
		first   string
		replies []string
		ranges  []string
		err     error
	}{
		"200 with where it goes on":          {cut, []string{reply("200 OK", whole[5:], tag, rest)}, []string{onward}, nil},
		"the same without ETag":              {cut, []string{reply("200 OK", whole[5:], rest)}, []string{onward}, nil},
		"the rest, unlabelled":               {cut, []string{reply("200 OK", whole[5:], tag)}, []string{onward}, ErrStreaming},
		"the rest, unlabelled, without ETag": {cut, []string{reply("200 OK", whole[5:]), all}, []string{onward, anew}, nil},
		"the rest, chunked": {cut, []string{"HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + whole[5:] + "\r\n0\r\n\r\n", all},
			[]string{onward, anew}, nil},
		"other length, chunked": {cut, []string{"HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + whole[5:] + "\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + whole[5:] + "\r\n0\r\n\r\n"},
			[]string{onward, anew}, ErrStreaming},
		"other length, to the end":        {cut, []string{reply("416 Range Not Satisfiable", ""), "HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n" + whole[5:]}, []string{onward, anew}, ErrStreaming},
		"200 with another part":           {cut, []string{reply("200 OK", whole[6:], tag, "Content-Range: bytes 6-19/20"), all}, []string{onward, anew}, nil},
		"200 with a broken Content-Range": {cut, []string{reply("200 OK", whole[5:], tag, "Content-Range: 5-19"), all}, []string{onward, anew}, nil},
		"206 with another length":         {cut, []string{reply("206 Partial Content", whole[5:15], tag, "Content-Range: bytes 5-14/15")}, []string{onward}, ErrStreaming},
		"206 with another, without ETag":  {cut, []string{reply("206 Partial Content", whole[5:15], "Content-Range: bytes 5-14/15"), all}, []string{onward, anew}, nil},
		"206 of another ETag":             {cut, []string{reply("206 Partial Content", whole[5:], `ETag: "f"`, rest), all}, []string{onward, anew}, nil},
		"206 shorter than it says":        {cut, []string{reply("206 Partial Content", whole[5:10], tag, rest), all}, []string{onward, anew}, nil},
		"206 longer than it says":         {cut, []string{reply("206 Partial Content", whole[5:]+"xyz", tag, rest), all}, []string{onward, anew}, nil},
		"206 without Content-Range":       {cut, []string{reply("206 Partial Content", whole[5:], tag), all}, []string{onward, anew}, nil},
		"a part of the rest": {cut, []string{reply("206 Partial Content", whole[5:9], tag, "Content-Range: bytes 5-8/20"), reply("206 Partial Content", whole[9:], tag, "Content-Range: bytes 9-19/20")},
			[]string{onward, "bytes=9-"}, nil},
		"416 with another length":     {cut, []string{reply("416 Range Not Satisfiable", "", "Content-Range: bytes */5"), all}, []string{onward, anew}, nil},
		"416 that does not say":       {cut, []string{reply("416 Range Not Satisfiable", ""), all}, []string{onward, anew}, nil},
		"a new one of that length":    {cut, []string{reply("200 OK", strings.ToUpper(whole), `ETag: "f"`)}, []string{onward}, nil},
		"a shorter new one":           {cut, []string{reply("200 OK", "short", `ETag: "f"`)}, []string{onward}, nil},
		"other length, asked anew":    {cut, []string{reply("416 Range Not Satisfiable", ""), reply("200 OK", whole[5:], tag)}, []string{onward, anew}, ErrStreaming},
		"a part nobody asked for":     {reply("200 OK", whole[5:], tag, rest), nil, nil, ErrStreaming},
		"length unknown, known later": {open, []string{reply("206 Partial Content", whole[5:], tag, rest)}, []string{onward}, nil},
		"length unknown, then 416": {open, []string{reply("206 Partial Content", whole[5:], tag, "Content-Range: bytes 5-19/*"), reply("416 Range Not Satisfiable", "", "Content-Range: bytes */20")},
			[]string{onward, "bytes=20-"}, nil},
		"length unknown, in parts": {open, []string{reply("206 Partial Content", whole[5:10], tag, "Content-Range: bytes 5-9/*"), reply("206 Partial Content", whole[10:], tag, "Content-Range: bytes 10-19/20")},
			[]string{onward, "bytes=10-"}, nil},
		"length unknown, 200": {open, []string{reply("200 OK", whole[5:], tag), all}, []string{onward, anew}, ErrStreaming},
		"never fits": {cut, []string{reply("206 Partial Content", "x", tag), cut, reply("206 Partial Content", "x", tag), cut, reply("206 Partial Content", "x", tag)},
			[]string{onward, anew, onward}, ErrStreaming},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			replies := []wiretest.Reply{wiretest.Send(test.first).ThenClose()}
			for _, r := range test.replies {
				replies = append(replies, wiretest.Send(r).ThenClose())
			}
			server := wiretest.Start(t, wiretest.Config{Replies: replies})
			s := requests.NewSession()
			defer s.Close()
			dir := t.TempDir()
			_, err := Download(t.Context(), s, server.URL("/"), filepath.Join(dir, "f"), Attempts(4))
			if !errors.Is(err, test.err) {
				t.Errorf("the error is %v, want %v", err, test.err)
			}
			content, _ := os.ReadFile(filepath.Join(dir, "f"))
			if err == nil && string(content) != whole && !strings.Contains(name, "new one") || err != nil && len(entries(t, dir)) > 0 {
				t.Errorf("the file has %q, in the directory is %v", content, entries(t, dir))
			}
			var got []string
			for _, r := range server.Requests()[1:] {
				got = append(got, r.Get("Range"))
			}
			if diff := cmp.Diff(test.ranges, got); diff != "" {
				t.Errorf("ranges asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// relink puts a link instead of a file.
func relink(path string) {
	os.Rename(path, path+".victim")
	os.Symlink(path+".victim", path)
}

func TestDownloadIsCancelled(t *testing.T) {
	wiretest.NoLeak(t)
	server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")}})
	s := requests.NewSession()
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	_, err := Download(ctx, s, server.URL("/"), filepath.Join(dir, "f"), OnProgress(func(int64, int64) { cancel() }), ChunkSize(1))
	if !errors.Is(err, context.Canceled) || len(server.Requests()) != 1 || len(entries(t, dir)) != 0 {
		t.Errorf("got %v after %d requests, and %v", err, len(server.Requests()), entries(t, dir))
	}
}

func TestDownloadThroughBaseURL(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "body", attachment("named.txt")))
	s := NewBaseURLSession(server.URL("/files/"))
	defer s.Close()
	path, err := Download(t.Context(), s, "a", t.TempDir(), RequestOptions(requests.Headers{{"X-Own", "1"}}))
	if err != nil || filepath.Base(path) != "named.txt" {
		t.Errorf("got %q, %v", path, err)
	}
	r := server.Requests()[0]
	if r.Target != "/files/a" || r.Get("X-Own") != "1" || r.Get("Accept-Encoding") != "identity" {
		t.Errorf("asked for %s", r.Raw)
	}
}
