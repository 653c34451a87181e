package requests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var cookieEnd = time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)

// assortedJar has one of everything.
func assortedJar(t testing.TB, options ...JarOption) *CookieJar {
	t.Helper()
	j := NewCookieJar(options...)
	j.receive("https://www.a.test/x/y",
		"host=1; Secure; HttpOnly; SameSite=Lax", "domain=2; Domain=a.test; Path=/", `quoted="3 4"`, "raw=\xe9\xff", "bare", "empty=")
	for _, c := range []Cookie{
		{Name: "hand", Value: "5=5", Domain: "b.test", Expires: cookieEnd},
		{Name: "only", Value: "6", Domain: "b.test", HostOnly: true, Path: "/p", Expires: cookieEnd},
		{Name: "old", Value: "7", Domain: "b.test", Expires: time.Unix(1000, 0).UTC()},
		{Name: "everywhere", Value: "8"},
	} {
		if err := j.Set(c); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// sentBy shows what a jar sends where.
func sentBy(j *CookieJar) map[string]string {
	sent := map[string]string{}
	for _, url := range []string{"https://www.a.test/x/y", "http://sub.a.test/x", "http://b.test/p/q", "http://sub.b.test/p"} {
		sent[url] = j.Header(url)
	}
	return sent
}

func TestRule36SavedCookiesAreBound(t *testing.T) {
	for _, tt := range []struct {
		file    string
		options []CookieFileOption
	}{
		{"cookies.txt", []CookieFileOption{KeepSessionCookies, KeepExpired}},
		{"cookies.json", []CookieFileOption{KeepSessionCookies | KeepExpired, AsJSON}},
	} {
		for _, rules := range [][]JarOption{nil, {NetscapeRules()}} {
			name := filepath.Join(t.TempDir(), tt.file)
			saved, loaded := assortedJar(t, rules...), NewCookieJar(rules...)
			if err := errors.Join(saved.Save(name, tt.options...), loaded.Load(name, tt.options...)); err != nil {
				t.Fatal(err)
			}
			saved.Delete("everywhere", "", "")
			if diff := cmp.Diff(sentBy(saved), sentBy(loaded)); diff != "" {
				t.Errorf("%s: sent after loading (-want +got):\n%s", tt.file, diff)
			}
			if diff := cmp.Diff(saved.Len(), loaded.Len()); diff != "" {
				t.Errorf("%s: cookies (-want +got):\n%s", tt.file, diff)
			}
		}
	}
}

// TestHostOnlyWithDot: a cookie for one host is one, however its domain is written, and stays one
// in every file.
func TestHostOnlyWithDot(t *testing.T) {
	for _, options := range [][]CookieFileOption{{KeepSessionCookies}, {KeepSessionCookies, AsJSON}} {
		j, saved, written := NewCookieJar(), NewCookieJar(), NewCookieJar()
		name := filepath.Join(t.TempDir(), "c")
		if err := errors.Join(
			j.Set(Cookie{Name: "n", Value: "1", Domain: ".www.test", HostOnly: true}), j.Save(name, options...), saved.Load(name, KeepSessionCookies),
			written.UnmarshalJSON([]byte(`[{"name":"n","value":"1","domain":".www.test","path":"/","host_only":true}]`)),
		); err != nil {
			t.Fatal(err)
		}
		want := [2]string{"n=1", ""}
		for _, jar := range []*CookieJar{j, saved, written} {
			if diff := cmp.Diff(want, [2]string{jar.Header("http://www.test/"), jar.Header("http://sub.www.test/")}); diff != "" {
				t.Errorf("host and subdomain (-want +got):\n%s", diff)
			}
		}
	}
}

func TestSavedCookies(t *testing.T) {
	j := assortedJar(t)
	tests := []struct {
		options []CookieFileOption
		want    []string
	}{
		{nil, []string{"hand", "only"}},
		{[]CookieFileOption{KeepExpired}, []string{"hand", "old", "only"}},
		{[]CookieFileOption{KeepSessionCookies}, []string{"host", "quoted", "raw", "", "empty", "domain", "hand", "only"}},
		{[]CookieFileOption{KeepSessionCookies, AsJSON}, []string{"host", "quoted", "raw", "", "empty", "domain", "hand", "only"}},
		{[]CookieFileOption{AsJSON}, []string{"hand", "only"}},
	}
	for _, tt := range tests {
		name := filepath.Join(t.TempDir(), "c")
		loaded := NewCookieJar()
		if err := errors.Join(j.Save(name, tt.options...), loaded.Load(name, KeepExpired, KeepSessionCookies)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for c := range loaded.All() {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.options, diff)
		}
	}
}

func TestCookiesTxt(t *testing.T) {
	const text = "# Netscape HTTP Cookie File\r\n" +
		"# a comment\n\n" +
		".a.test\tTRUE\t/\tFALSE\t2209086245\tn\tv\n" +
		"www.a.test\tFALSE\t/p\tTRUE\t0\thost\tx=1; 2\r\n" +
		"#HttpOnly_b.test\tTRUE\t/\tFALSE\t\tsession\t\n" +
		".c.test\tfalse\t/\tfalse\t5\told\n"
	j := NewCookieJar()
	if err := j.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	want := []Cookie{
		{Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: time.Unix(2209086245, 0).UTC()},
		{Name: "host", Value: "x=1; 2", Domain: "www.a.test", Path: "/p", Secure: true, HostOnly: true},
		{Name: "session", Domain: ".b.test", Path: "/", HTTPOnly: true},
		{Name: "old", Domain: "c.test", Path: "/", HostOnly: true, Expires: time.Unix(5, 0).UTC()},
	}
	var got []Cookie
	for c := range j.All() {
		got = append(got, c)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
	again, _ := j.MarshalText()
	wantText := "# Netscape HTTP Cookie File\n# This is a generated file. Do not edit.\n\n" +
		".a.test\tTRUE\t/\tFALSE\t2209086245\tn\tv\n" +
		"www.a.test\tFALSE\t/p\tTRUE\t0\thost\tx=1; 2\n" +
		"#HttpOnly_.b.test\tTRUE\t/\tFALSE\t0\tsession\t\n" +
		"c.test\tFALSE\t/\tFALSE\t5\told\t\n"
	if diff := cmp.Diff(wantText, string(again)); diff != "" {
		t.Errorf("MarshalText (-want +got):\n%s", diff)
	}
}

// A file with one bad line is refused whole.
func TestRule34CookieFiles(t *testing.T) {
	const good = ".a.test\tTRUE\t/\tFALSE\t0\tn\tv\n"
	bad := map[string]string{
		"NUL":           ".a.test\tTRUE\t/\tFALSE\t0\tn\tv\x00\n",
		"control":       ".a.test\tTRUE\t/\tFALSE\t0\tn\x1b[31m\tv\n",
		"bare CR":       ".a.test\tTRUE\t/\tFALSE\t0\tn\tv\rx\n",
		"1 MB line":     ".a.test\tTRUE\t/\tFALSE\t0\tn\t" + strings.Repeat("v", 1<<20) + "\n",
		"1 MB comment":  "# " + strings.Repeat("v", 1<<20) + "\n",
		"fields":        "a b c\n",
		"many fields":   strings.TrimSuffix(good, "\n") + "\tx\n",
		"date":          ".a.test\tTRUE\t/\tFALSE\tsoon\tn\tv\n",
		"no domain":     "\tFALSE\t/\tFALSE\t0\tn\tv\n",
		"any domain":    ".\tTRUE\t/\tFALSE\t0\tn\tv\n",
		"domain":        "a b\tTRUE\t/\tFALSE\t0\tn\tv\n",
		"path":          ".a.test\tTRUE\tx\tFALSE\t0\tn\tv\n",
		"HTML":          "<html>\n",
		"JSON":          `{"name": "n"}`,
		"JSON domain":   `[{"name": "n", "value": "v", "domain": "", "path": "/"}]`,
		"JSON control":  `[{"name": "n", "value": "v\u0000", "domain": "a.test", "path": "/"}]`,
		"JSON raw name": `[{"raw_name": "Cg==", "value": "v", "domain": "a.test", "path": "/"}]`,
	}
	for name, text := range bad {
		file := filepath.Join(t.TempDir(), "cookies")
		if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
			text = good + text
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		j := NewCookieJar()
		if err := j.Load(file, KeepSessionCookies); !errors.Is(err, ErrFile) || j.Len() != 0 {
			t.Errorf("%s: error %v and %d cookies, want ErrFile and none", name, err, j.Len())
		}
	}
	if err := NewCookieJar().Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, ErrFile) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestBoundsOfCookieFiles: a file, its lines with their ends, and its entries.
func TestBoundsOfCookieFiles(t *testing.T) {
	const header = "# Netscape HTTP Cookie File\n"
	entries := func(n int) string {
		var b strings.Builder
		b.WriteString(header)
		for i := range n {
			fmt.Fprintf(&b, "h%d.test\tFALSE\t/\tFALSE\t0\tn\tv\n", i)
		}
		return b.String()
	}
	file := filepath.Join(t.TempDir(), "cookies")
	for _, b := range []struct {
		name string
		most int
		text func(n int) string
	}{
		{"bytes", 32 << 20, func(n int) string { return header + strings.Repeat("\n", n-len(header)) }},
		{"bytes of a line", 64 << 10, func(n int) string { return header + "#" + strings.Repeat("x", n-2) + "\n" }},
		{"entries", 100_000, entries},
	} {
		for _, n := range []int{b.most - 1, b.most, b.most + 1} {
			if err := os.WriteFile(file, []byte(b.text(n)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := NewCookieJar().Load(file, KeepSessionCookies); (err == nil) != (n <= b.most) || err != nil && !errors.Is(err, ErrFile) {
				t.Errorf("%s: %d of %d: %v", b.name, n, b.most, err)
			}
		}
	}
}

// What other programs write, and http.cookiejar reads.
func TestCookiesTxtOfOthers(t *testing.T) {
	second := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	tests := map[string]Cookie{
		".a.test\tTRUE\t/\tFALSE\t1978706015.608693\tn\tv\n":                 {Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: second(1978706015)},
		".a.test\tTRUE\t/\tFALSE\t1.978706015e9\tn\tv\n":                     {Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: second(1978706015)},
		".a.test\tTRUE\t/\tFALSE\t0.0\tn\tv\n":                               {Name: "n", Value: "v", Domain: ".a.test", Path: "/"},
		".a.test\tTRUE\t/\tFALSE\t 1978706015 \tn\tv\n":                      {Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: second(1978706015)},
		".a.test\tTRUE\t/\tFALSE\t-1.5\tn\tv\n":                              {Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: second(1)},
		".a.test\tTRUE\t/\tFALSE\t1e300\tn\tv\n":                             {Name: "n", Value: "v", Domain: ".a.test", Path: "/", Expires: second(253402300799)},
		"$ what is this\n$\n  $Version=1\n.a.test\tTRUE\t/\tFALSE\t\tn\tv\n": {Name: "n", Value: "v", Domain: ".a.test", Path: "/"},
		"\ufeff# HTTP Cookie File\r\n.a.test\tTRUE\t/\tFALSE\t\tn\tv\r\n":    {Name: "n", Value: "v", Domain: ".a.test", Path: "/"},
		"a.test\tFALSE\t/\tFALSE\t\t\tflag\n":                                {Value: "flag", Domain: "a.test", Path: "/", HostOnly: true},
	}
	for text, want := range tests {
		j := NewCookieJar()
		err := j.UnmarshalText([]byte(text))
		if diff := cmp.Diff([]Cookie{want}, slices.Collect(j.All())); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, date := range []string{"NaN", "inf", "-Inf", "1 2", "0x1p3x"} {
		if err := NewCookieJar().UnmarshalText([]byte(".a.test\tTRUE\t/\tFALSE\t" + date + "\tn\tv\n")); err == nil {
			t.Errorf("the date %q was taken", date)
		}
	}
}

// bigCookieFile has a cookie for each of n hosts.
func bigCookieFile(asJSON bool, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		switch {
		case !asJSON:
			fmt.Fprintf(&b, "h%d.test\tFALSE\t/\tFALSE\t4102444800\tn\tv\n", i)
		case i == 0:
			b.WriteString(`[{"name":"n","value":"v","domain":"h0.test","path":"/","expires":"2100-01-01T00:00:00Z"}`)
		default:
			fmt.Fprintf(&b, `,{"name":"n","value":"v","domain":"h%d.test","path":"/","expires":"2100-01-01T00:00:00Z"}`, i)
		}
	}
	if asJSON {
		b.WriteString("]")
	}
	return b.Bytes()
}

// TestBigCookieFiles: 80,000 hosts are taken, in time that grows with their number; more
// than 100,000 are refused before they are kept.
func TestBigCookieFiles(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		j := NewCookieJar()
		if err := map[bool]func([]byte, CookieFileOption) error{false: j.unmarshalText, true: j.unmarshalJSON}[asJSON](bigCookieFile(asJSON, 80_000), everything); err != nil || j.Len() != 80_000 {
			t.Errorf("JSON %t: %d cookies, %v", asJSON, j.Len(), err)
		}
		j.receive("http://new.test/", "n=v")
		if j.Len() != 80_000 || j.Header("http://h79999.test/") != "n=v" || j.Header("http://new.test/") != "n=v" {
			t.Errorf("JSON %t: %d cookies once a server has set one more", asJSON, j.Len())
		}
		name := filepath.Join(t.TempDir(), "cookies")
		if err := os.WriteFile(name, bigCookieFile(asJSON, 100_001), 0o600); err != nil {
			t.Fatal(err)
		}
		many := NewCookieJar()
		if err := many.Load(name); !errors.Is(err, ErrFile) || many.Len() != 0 {
			t.Errorf("JSON %t: 100,001 cookies: %v, and %d of them kept", asJSON, err, many.Len())
		}
	}
	if err := NewCookieJar().UnmarshalJSON([]byte("[" + strings.Repeat("{},", 1<<20) + "{}]")); err == nil {
		t.Error("a million of nothing was taken")
	}
}

// What is not a cookie may be left out on request; what is not text never.
func TestCookieFileSkipBadLines(t *testing.T) {
	const good = ".a.test\tTRUE\t/\tFALSE\t0\tn\tv\n"
	for text, want := range map[string]string{
		good + "a b c\n": "n=v",
		"b.test\tFALSE\t/\tFALSE\t0\t\tx\ty\n" + good:                         "n=v",
		"b.test\tFALSE\t/\tFALSE\tsoon\tm\tv\n" + good:                        "n=v",
		good + ".a.test\tTRUE\t/\tFALSE\t0\tm\tv\x00\n":                       "",
		good + ".a.test\tTRUE\t/\tFALSE\t0\tm\t" + strings.Repeat("v", 1<<20): "",
	} {
		file := filepath.Join(t.TempDir(), "cookies")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		j := NewCookieJar()
		err := j.Load(file, KeepSessionCookies, SkipBadLines)
		if got := j.Header("http://a.test/"); got != want || (err == nil) != (want != "") {
			t.Errorf("%.60q: got %q and the error %v, want %q", text, got, err, want)
		}
	}
}

func TestRule38SaveReplacesLinks(t *testing.T) {
	dir := t.TempDir()
	victim, name := filepath.Join(dir, "victim"), filepath.Join(dir, "cookies.txt")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, name); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if err := assortedJar(t).Save(name); err != nil {
		t.Fatal(err)
	}
	kept, _ := os.ReadFile(victim)
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	type state struct {
		Victim string
		Mode   fs.FileMode
		Files  int
	}
	if diff := cmp.Diff(state{"precious", 0o600, 2}, state{string(kept), info.Mode(), len(entries)}); diff != "" {
		t.Errorf("after Save (-want +got):\n%s", diff)
	}
	if err := assortedJar(t).Save(filepath.Join(dir, "none", "c")); !errors.Is(err, ErrFile) {
		t.Errorf("Save into no directory: %v, want ErrFile", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := assortedJar(t).Save(filepath.Join(dir, "taken")); !errors.Is(err, ErrFile) {
		t.Errorf("Save over a directory: %v, want ErrFile", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 {
		t.Errorf("%d files after failing, want 3: the temporary one stays behind", len(entries))
	}
}

func TestCookieJSON(t *testing.T) {
	j := assortedJar(t)
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	loaded := NewCookieJar()
	if err := json.Unmarshal(data, loaded); err != nil {
		t.Fatal(err)
	}
	j.Delete("everywhere", "", "")
	if diff := cmp.Diff(slices.Collect(j.All()), slices.Collect(loaded.All())); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
}
