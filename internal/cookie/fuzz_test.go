package cookie

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mountable/requests/internal/cases"
)

var sampleFields = []string{
	"a=1", "sid=31d4; Path=/; Secure; HttpOnly; SameSite=Lax", "a=b=c; Domain=.example.com; Max-Age=60", `a="\"q\""; Path="/x"`,
	"a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT", "a=; Max-Age=0", "__Host-a=1; Secure; Path=/", "a=1; Domain=co.uk", "bare", "=x",
	"a=1; Version=1; Port=\"80,443\"", "a=1; Port=80", "a=1; Max-Age", "a=1; Domain=\xe9.test; Path=/\xe9 %e9", "a=1;;;=;Path", ";a=1",
	"a=1; domain=1.2.3.4; max-age=-99999999999999999999", "a=1; Expires=99-99-99 99:99:99", "a\x00=1", "a=1; Max-Age=1_0",
}

// checkJar is what holds of every jar, whatever a server has said.
func checkJar(t *testing.T, j *ruledJar, urls ...string) {
	t.Helper()
	n := 0
	for _, c := range j.cookies() {
		n++
		if strings.ContainsAny(c.Name+c.Value+c.Domain+c.Path, "\r\n\x00") || c.Name+c.Value == "" || c.Path == "" {
			t.Errorf("kept %#v", c)
		}
	}
	if diff := cmp.Diff(n, j.Len()); diff != "" {
		t.Errorf("Len (-counted +got):\n%s", diff)
	}
	for _, url := range urls {
		line := j.header(url)
		if strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("Header(%q) = %q", url, line)
		}
		if diff := cmp.Diff(line, j.header(url)); diff != "" {
			t.Errorf("Header(%q), asked again (-first +second):\n%s", url, diff)
		}
	}
}

func FuzzSetCookie(f *testing.F) {
	for _, field := range sampleFields {
		f.Add("https://www.example.co.uk/x/y", field, field, false)
		f.Add("http://localhost:8080/", field, "b=2; Path=/x", true)
	}
	f.Add("A://A", "0", "0", true) // a scheme whose hosts keep their capitals
	f.Add("A://A", "0", "0", false)
	f.Add("http://a.test/", "0\t0; Path=/\xff", "0", true) // a path that is not UTF-8, beside what cookies.txt cannot hold
	f.Add("http://a.test/\xff/x", "0\t0", "0", false)
	f.Add("A://0.0X", "0", "0", true) // an address, which no parser of that scheme has looked at
	f.Add("http0://\"", "0", "0", false)
	f.Add("A://0.256", "0", "0", true)
	f.Add("A:// ", "0", "0", true)
	f.Add("A://.0", "0", "0", true) // a dot in front is for all hosts below
	f.Add("A://\n", "0", "0", true)
	f.Add("http0:", "0", "0", false)
	f.Add("http://0/ /", "0", "0", false)
	f.Add("HTTP://Www.A.test/", "flag", "=flag; Path=/x", false)
	for _, seed := range cases.Seeds("cookies.json", "cases", "set_cookie") {
		f.Add("https://www.example.co.uk/x/y", seed, "b=2; Path=/x", false)
	}
	f.Fuzz(func(t *testing.T, url, first, second string, netscape bool) {
		j := newJar(Rules{Netscape: netscape})
		j.receive(url, first, second)
		checkJar(t, j, url, "https://www.example.co.uk/x/y", "http://co.uk/", "http://other.test/")
		if got := j.header("http://other.test/"); got != "" && !strings.Contains(strings.ToLower(url), "test") && !strings.Contains(url, "%") {
			t.Errorf("%q set %q for another host", url, got)
		}
		loaded := newJar(j.rules)
		data, err := JSON(j.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		cookies, err := ReadJSON(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		loaded.Put(cookies...)
		text := Text(j.Snapshot(), j.rules)
		if cookies, err = ReadText(text, false, j.rules); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		loaded.Put(cookies...)
		if diff := cmp.Diff(j.header(url), loaded.header(url)); diff != "" {
			t.Errorf("Header after loading %s and %q (-want +got):\n%s", data, text, diff)
		}
	})
}

func FuzzCookieFile(f *testing.F) {
	f.Add([]byte(fileHeader + ".a.test\tTRUE\t/\tFALSE\t0\tn\tv\n#HttpOnly_a.test\tFALSE\t/\tTRUE\t4102444800\t\tx"))
	f.Add([]byte(`[{"name": "n", "value": "v", "domain": ".a.test", "path": "/", "expires": "2040-01-02T03:04:05Z"}]`))
	f.Add([]byte("\t\t\t\t\t\t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cookies, err := ReadText(data, false, Rules{})
		if err != nil {
			cookies, err = ReadJSON(data)
		}
		if err != nil {
			return
		}
		j, again := newJar(Rules{}), newJar(Rules{})
		j.Put(cookies...)
		checkJar(t, j, "http://a.test/")
		text, err := JSON(j.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		if cookies, err = ReadJSON(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again.Put(cookies...)
		same := cmp.Options{cmp.AllowUnexported(Stored{}), cmpopts.IgnoreFields(Stored{}, "seq"), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(j.Snapshot(), again.Snapshot(), same); diff != "" {
			t.Errorf("through JSON (-want +got):\n%s", diff)
		}
		if removed := j.RemoveIf(func(*Stored) bool { return true }); removed != again.Len() || j.Len() != 0 {
			t.Errorf("%d cookies removed of %d, %d left", removed, again.Len(), j.Len())
		}
	})
}
