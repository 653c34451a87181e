package toolbelt

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// streamed gets a reply whose body is not read yet.
func streamed(t *testing.T, reply wiretest.Reply, options ...requests.Option) *requests.Response {
	t.Helper()
	origin := wiretest.Origin(t, reply)
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	r, err := s.Get(t.Context(), origin.URL("/dir/from%20url.txt?x=y"), append([]requests.Option{requests.Stream(true)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func attachment(name string) [2]string {
	return [2]string{"Content-Disposition", `attachment; filename="` + name + `"`}
}

func TestStreamResponseToFile(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 50_000)
	tests := map[string]struct {
		reply   wiretest.Reply
		path    string // below the directory
		options []DownloadOption
		file    string
		want    string
	}{
		"given name":    {wiretest.Text(200, "body"), "a.txt", nil, "a.txt", "body"},
		"header's name": {wiretest.Text(200, "body", attachment("b.txt")), "", nil, "b.txt", "body"},
		"URL's name":    {wiretest.Text(200, "body"), "", []DownloadOption{NameFromURL()}, "from url.txt", "body"},
		"hostile name":  {wiretest.Text(200, "body", attachment("../../.ssh/.CON")), "", nil, "_CON", "body"},
		"large":         {wiretest.Text(200, big), "a", nil, "a", big},
		"chunked":       {wiretest.Chunks("a", big, "b"), "a", nil, "a", "a" + big + "b"},
		"empty":         {wiretest.Text(200, ""), "a", nil, "a", ""},
		"small chunks":  {wiretest.Text(200, "body"), "a", []DownloadOption{ChunkSize(1)}, "a", "body"},
		"compressed":    {wiretest.Text(200, gzipped("body"), [2]string{"Content-Encoding", "gzip"}), "a", nil, "a", "body"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := StreamResponseToFile(streamed(t, test.reply), filepath.Join(dir, test.path), test.options...)
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(dir, test.file); got != want {
				t.Errorf("the path is %q, want %q", got, want)
			}
			if content := readFile(t, got); content != test.want {
				t.Errorf("the file has %d bytes, want %d", len(content), len(test.want))
			}
			if diff := cmp.Diff([]string{test.file}, entries(t, dir)); diff != "" {
				t.Errorf("the directory (-want +got):\n%s", diff)
			}
		})
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestStreamResponseToFileFails(t *testing.T) {
	cut := wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").ThenClose()
	tests := map[string]struct {
		reply   wiretest.Reply
		path    string
		options []DownloadOption
		want    error
	}{
		"no name":          {wiretest.Text(200, "body"), "", nil, ErrStreaming},
		"unusable name":    {wiretest.Text(200, "body", attachment("..")), "", nil, ErrStreaming},
		"exists":           {wiretest.Text(200, "body"), "old", nil, ErrStreaming},
		"exists, too":      {wiretest.Text(200, "body"), "old", nil, fs.ErrExist},
		"server's exists":  {wiretest.Text(200, "body", attachment("old")), "", nil, fs.ErrExist},
		"no directory":     {wiretest.Text(200, "body"), "no/x", nil, requests.ErrFile},
		"no directory, is": {wiretest.Text(200, "body"), "no/x", nil, fs.ErrNotExist},
		"cut short":        {cut, "new", nil, requests.ErrChunkedEncoding},
		"cut, overwriting": {cut, "old", []DownloadOption{Overwrite()}, requests.ErrChunkedEncoding},
		"wrong checksum":   {wiretest.Text(200, "body"), "new", []DownloadOption{Checksum("md5", strings.Repeat("00", 16))}, ErrChecksum},
		"is a streaming":   {wiretest.Text(200, "body"), "new", []DownloadOption{Checksum("md5", strings.Repeat("00", 16))}, ErrStreaming},
		"bad algorithm":    {wiretest.Text(200, "body"), "new", []DownloadOption{Checksum("crc", "00")}, requests.ErrInvalidArgument},
		"bad sum":          {wiretest.Text(200, "body"), "new", []DownloadOption{Checksum("md5", "00")}, requests.ErrInvalidArgument},
		"bad chunk":        {wiretest.Text(200, "body"), "new", []DownloadOption{ChunkSize(0)}, requests.ErrInvalidArgument},
		"a directory":      {wiretest.Text(200, "body", attachment("sub")), "", []DownloadOption{Overwrite()}, ErrStreaming},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "old"), "old")
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			path, err := StreamResponseToFile(streamed(t, test.reply), filepath.Join(dir, test.path), test.options...)
			if !errors.Is(err, test.want) || path != "" {
				t.Errorf("got %q, %v, want %v", path, err, test.want)
			}
			if diff := cmp.Diff([]string{"old", "sub"}, entries(t, dir)); diff != "" {
				t.Errorf("the directory (-want +got):\n%s", diff)
			}
			if got := readFile(t, filepath.Join(dir, "old")); got != "old" {
				t.Errorf("the old file has become %q", got)
			}
		})
	}
}

func TestRule38LinksAreNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a symbolic link needs a privilege on Windows")
	}
	for _, options := range [][]DownloadOption{nil, {Overwrite()}} {
		dir := t.TempDir()
		victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
		writeFile(t, victim, "precious")
		if err := os.Symlink(victim, link); err != nil {
			t.Fatal(err)
		}
		_, err := StreamResponseToFile(streamed(t, wiretest.Text(200, "body")), link, options...)
		if options == nil && !errors.Is(err, fs.ErrExist) || options != nil && err != nil {
			t.Errorf("the error is %v", err)
		}
		if got := readFile(t, victim); got != "precious" {
			t.Errorf("the file behind the link has become %q", got)
		}
		if got := readFile(t, link); options != nil && got != "body" {
			t.Errorf("the file instead of the link has %q", got)
		}
	}
}

func TestRule38DanglingLinkIsTaken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a symbolic link needs a privilege on Windows")
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	_, err := StreamResponseToFile(streamed(t, wiretest.Text(200, "body")), link)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("the error is %v", err)
	}
	if diff := cmp.Diff([]string{"link"}, entries(t, dir)); diff != "" {
		t.Errorf("the directory (-want +got):\n%s", diff)
	}
}

func TestRule38NameTakenMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	r := streamed(t, wiretest.Text(200, "body"))
	saved, err := StreamResponseToFile(r, path, OnProgress(func(done, total int64) {
		if done == total {
			writeFile(t, path, "somebody else's")
		}
	}))
	if !errors.Is(err, ErrStreaming) || !errors.Is(err, fs.ErrExist) || saved != "" {
		t.Errorf("got %q, %v", saved, err)
	}
	if got := readFile(t, path); got != "somebody else's" {
		t.Errorf("the file has become %q", got)
	}
	if got := entries(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the directory has %v", got)
	}
}

func TestRule38NoLinks(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]error{"taken": fs.ErrExist, "free": nil} {
		writeFile(t, filepath.Join(dir, "taken"), "old")
		writeFile(t, filepath.Join(dir, "temporary"), "new")
		f := &newFile{target: filepath.Join(dir, name)}
		if err := f.renameReserved(filepath.Join(dir, "temporary")); !errors.Is(err, want) {
			t.Errorf("%s: the error is %v, want %v", name, err, want)
		}
	}
	got := []string{readFile(t, filepath.Join(dir, "taken")), readFile(t, filepath.Join(dir, "free"))}
	if diff := cmp.Diff([]string{"old", "new"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDownloadModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits to compare")
	}
	tests := map[string]struct {
		before  fs.FileMode
		options []DownloadOption
		want    fs.FileMode
	}{
		"kept":     {0o640, []DownloadOption{Overwrite()}, 0o640},
		"given":    {0o644, []DownloadOption{Overwrite(), Mode(0o600)}, 0o600},
		"for new":  {0, []DownloadOption{Mode(0o600)}, 0o600},
		"like new": {0, nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, plain := filepath.Join(dir, "a"), filepath.Join(dir, "plain")
			if test.before != 0 {
				writeFile(t, path, "old")
				os.Chmod(path, test.before)
			}
			if test.want == 0 {
				test.want = plainMode(t, plain)
			}
			if _, err := StreamResponseToFile(streamed(t, wiretest.Text(200, "body")), path, test.options...); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != test.want {
				t.Errorf("the mode is %v, %v, want %v", info.Mode().Perm(), err, test.want)
			}
		})
	}
}

// plainMode is the mode that any new file gets.
func plainMode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestDownloadProgress(t *testing.T) {
	tests := map[string]struct {
		reply wiretest.Reply
		want  [][2]int64
	}{
		"length":     {wiretest.Text(200, "abcde"), [][2]int64{{2, 5}, {4, 5}, {5, 5}, {5, 5}}},
		"chunked":    {wiretest.Chunks("abc", "d"), [][2]int64{{2, -1}, {3, -1}, {4, -1}, {4, 4}}},
		"compressed": {wiretest.Text(200, gzipped("abc"), [2]string{"Content-Encoding", "gzip"}), [][2]int64{{2, -1}, {3, -1}, {3, 3}}},
		"empty":      {wiretest.Text(200, ""), [][2]int64{{0, 0}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got [][2]int64
			n, err := StreamResponseToWriter(streamed(t, test.reply), io.Discard, ChunkSize(2),
				OnProgress(func(done, total int64) { got = append(got, [2]int64{done, total}) }))
			if err != nil || n != got[len(got)-1][0] {
				t.Errorf("%d bytes, %v", n, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDigests(t *testing.T) {
	coded := gzipped("body")
	of := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	}
	long := sha512.Sum512([]byte("body"))
	wrong := of("other")
	gz := [2]string{"Content-Encoding", "gzip"}
	tests := map[string]struct {
		status int
		body   string
		fields [][2]string
		want   error
	}{
		"right":              {200, "body", [][2]string{{"Repr-Digest", of("body")}, {"Content-Digest", of("body")}}, nil},
		"long":               {200, "body", [][2]string{{"Repr-Digest", "sha-512=:" + base64.StdEncoding.EncodeToString(long[:]) + ":"}}, nil},
		"wrong":              {200, "body", [][2]string{{"Repr-Digest", wrong}}, ErrChecksum},
		"content wrong":      {200, "body", [][2]string{{"Content-Digest", wrong}}, ErrChecksum},
		"second wrong":       {200, "body", [][2]string{{"Content-Digest", of("body") + ", " + wrong}}, ErrChecksum},
		"with parameter":     {200, "body", [][2]string{{"Content-Digest", wrong + ";x=1"}}, ErrChecksum},
		"coded":              {200, coded, [][2]string{gz, {"Content-Digest", of(coded)}}, nil},
		"coded wrong":        {200, coded, [][2]string{gz, {"Content-Digest", of("body")}}, ErrChecksum},
		"part of the whole":  {206, "body", [][2]string{{"Repr-Digest", wrong}}, nil},
		"part":               {206, "body", [][2]string{{"Content-Digest", wrong}}, ErrChecksum},
		"unknown algorithm":  {200, "body", [][2]string{{"Content-Digest", "md5=:AAAA:"}}, nil},
		"malformed":          {200, "body", [][2]string{{"Content-Digest", "sha-256=AAAA, sha-256=:!:, sha-256=:AAAA:, sha-256, ="}}, nil},
		"one of several bad": {200, "body", [][2]string{{"Content-Digest", "sha-256, " + wrong}}, ErrChecksum},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reply := wiretest.Text(test.status, test.body, test.fields...)
			for option, decoded := range map[string]bool{"decoded": true, "raw": false} {
				_, err := StreamResponseToWriter(streamed(t, reply), io.Discard)
				if !decoded {
					err = drained(Tee(streamed(t, reply), io.Discard))
				}
				if !errors.Is(err, test.want) {
					t.Errorf("%s: the error is %v, want %v", option, err, test.want)
				}
			}
			if _, err := StreamResponseToWriter(streamed(t, reply), io.Discard, IgnoreDigest()); err != nil {
				t.Errorf("ignored: %v", err)
			}
			if _, err := StreamResponseToWriter(streamed(t, reply, requests.Stream(false)), io.Discard); test.want == nil && err != nil {
				t.Errorf("in memory: %v", err)
			}
		})
	}
}

func TestChecksums(t *testing.T) {
	sum := sha256.Sum256([]byte("body"))
	for _, text := range []string{hex.EncodeToString(sum[:]), strings.ToUpper(hex.EncodeToString(sum[:])),
		base64.StdEncoding.EncodeToString(sum[:]), base64.RawStdEncoding.EncodeToString(sum[:])} {
		for _, algorithm := range []string{"sha256", "SHA-256"} {
			option := Checksum(algorithm, text)
			for _, body := range []string{"body", "other", "body"} { // an option can be used again
				_, err := StreamResponseToWriter(respond(nil, recordedBytes(body)), io.Discard, option)
				if (body == "body") != (err == nil) || err != nil && !(errors.Is(err, ErrChecksum) && errors.Is(err, ErrStreaming) && errors.Is(err, requests.ErrDigest)) {
					t.Errorf("%s %s of %q: %v", algorithm, text, body, err)
				}
			}
		}
	}
}

func TestWriterErrors(t *testing.T) {
	broken := errors.New("disk full")
	for _, want := range []error{broken, io.EOF} {
		r := streamed(t, wiretest.Text(200, "body"))
		n, err := StreamResponseToWriter(r, writerFunc(func([]byte) (int, error) { return 0, want }))
		if n != 0 || err != want {
			t.Errorf("got %d, %v, want %v", n, err, want)
		}
	}
	if _, err := StreamResponseToWriter(respond(nil), nil); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("no writer: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestURLFilename(t *testing.T) {
	tests := map[string]named{
		"http://h/a/b.txt?x#y":  {"b.txt", true},
		"http://h/a/%2e%2e%2fx": {"x", true},
		"http://h/x%00.txt":     {"x.txt", true},
		"http://h/a%20b":        {"a b", true},
		"http://h/%zz":          {"%zz", true},
		"http://h/dir/":         {},
		"http://h":              {},
		"http://h/..":           {},
	}
	for url, want := range tests {
		name, ok := urlFilename(url)
		if diff := cmp.Diff(want, named{name, ok}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", url, diff)
		}
	}
}

func drained[T any](seq func(yield func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestRule38RandomNames: the file that a download is written to until it is whole has a name
// that nobody can make before it.
func TestRule38RandomNames(t *testing.T) {
	dir, seen := t.TempDir(), map[string]bool{}
	for i := range 3 {
		progress := OnProgress(func(int64, int64) {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if name, ok := strings.CutPrefix(e.Name(), ".download-"); ok {
					seen[name] = len(name) >= 26 // rand.Text: 130 bits
				}
			}
		})
		if _, err := StreamResponseToFile(streamed(t, wiretest.Text(200, "body")), filepath.Join(dir, fmt.Sprint(i)), progress); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("the names of three downloads: %v", seen)
	}
	for name, long := range seen {
		if !long {
			t.Errorf("%q is guessed too easily", name)
		}
	}
}
