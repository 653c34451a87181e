package toolbelt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
)

type named struct {
	Name string
	OK   bool
}

func TestFilename(t *testing.T) {
	none := named{}
	tests := map[string]named{
		"":                                none,
		"attachment":                      none,
		"attachment; filename=a.txt":      {"a.txt", true},
		`ATTACHMENT; FileName="a b.txt"`:  {"a b.txt", true},
		`attachment; filename="a\"b\\c"`:  {`a"b\c`, true},
		`attachment; filename="a;b"; x=y`: {"a;b", true},
		`attachment; x="; filename=evil"; filename=ok`:           {"ok", true},
		`attachment; filename="open`:                             none,
		`attachment; filename=`:                                  none,
		`attachment; filename=""`:                                none,
		`attachment; filename`:                                   none,
		`filename=a`:                                             none,
		`; filename=a`:                                           {"a", true},
		`attachment; filename = a b `:                            {"a b", true},
		`attachment; filename=a; filename=b`:                     {"a", true},
		`attachment; filename=; filename=b`:                      none,
		`attachment; filename=a; filename*=UTF-8''b`:             {"b", true},
		`attachment; filename*=UTF-8''b; filename=a`:             {"b", true},
		`attachment; filename*=utf-8'en'%e2%82%ac`:               {"€", true},
		`attachment; filename*=iso-8859-1''%a3`:                  {"£", true},
		`attachment; filename*=UTF-16''b; filename=a`:            {"a", true},
		`attachment; filename*=UTF-8''%ff; filename=a`:           {"a", true},
		`attachment; filename*=UTF-8''%f`:                        none,
		`attachment; filename*=UTF-8''%zz`:                       none,
		`attachment; filename*=UTF-8''`:                          none,
		`attachment; filename*=UTF-8'b`:                          none,
		`attachment; filename*="UTF-8''b"`:                       none,
		`attachment; filename*=UTF-8''a(1).txt`:                  {"a(1).txt", true},
		"attachment; filename*=UTF-8''a\xffb":                    none,
		`attachment; filename*=UTF-8''%zz; filename*=UTF-8''b`:   none,
		`attachment; filename *=UTF-8''b`:                        none,
		"attachment; filename=\"\xa3.txt\"":                      {"£.txt", true},
		"attachment; filename=\"€.txt\"":                         {"€.txt", true},
		`attachment; filename="../../x"`:                         {"../../x", true},
		`attachment; filename=a.txt ;`:                           {"a.txt", true},
		`attachment; ;; filename=a`:                              {"a", true},
		`attachment; filename="a".txt; b=c`:                      {"a", true},
		`attachment; filename="a\`:                               none,
		`attachment; xfilename=a`:                                none,
		`attachment, filename=a`:                                 none,
		`attachment; name="x"; filename*0="a"; filename*1="b"`:   none,
		`attachment; filename="%41.txt"; creation-date="1; 2"  `: {"%41.txt", true},
	}
	for header, want := range tests {
		name, ok := Filename(header)
		if diff := cmp.Diff(want, named{name, ok}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", header, diff)
		}
	}
}

func TestRule37SafeFilename(t *testing.T) {
	none := named{}
	tests := map[string]named{
		"":                     none,
		"a.txt":                {"a.txt", true},
		"../../etc/passwd":     {"passwd", true},
		`..\..\x.dll`:          {"x.dll", true},
		`a/b\c`:                {"c", true},
		`C:\x.exe`:             {"x.exe", true},
		`C:x.exe`:              {"C_x.exe", true},
		"x.txt::$DATA":         {"x.txt__$DATA", true},
		".":                    none,
		"..":                   none,
		"...":                  none,
		". . .":                none,
		"dir/":                 none,
		"   ":                  none,
		".bashrc":              {"bashrc", true},
		"..a":                  {"a", true},
		"a. .":                 {"a", true},
		"x.txt\x00.exe":        {"x.txt.exe", true},
		"a\r\nb\tc\x7f\u0085d": {"abcd", true},
		"a\u202etxt.exe":       {"atxt.exe", true},
		"\ufeffa\u200b\u2028":  {"a", true},
		"x\xff\xfe.txt":        {"x.txt", true},
		"CON":                  {"_CON", true},
		"con.txt":              {"_con.txt", true},
		"nul.tar.gz":           {"_nul.tar.gz", true},
		"COM1 .txt":            {"_COM1 .txt", true},
		"lpt²":                 {"_lpt²", true},
		"CONIN$":               {"_CONIN$", true},
		"COM10":                {"COM10", true},
		"console":              {"console", true},
		"\x00CON":              {"_CON", true},
		" .CON":                {"_CON", true},
		`a<b>c|d?e*f"g:h`:      {"a_b_c_d_e_f_g_h", true},
		"/":                    none,
		"naïve €.pdf":          {"naïve €.pdf", true},

		strings.Repeat("a", 300):                  {strings.Repeat("a", 255), true},
		strings.Repeat("a", 300) + ".tar":         {strings.Repeat("a", 251) + ".tar", true},
		strings.Repeat("€", 100) + ".pdf":         {strings.Repeat("€", 83) + ".pdf", true},
		"a." + strings.Repeat("x", 400):           {"a." + strings.Repeat("x", 253), true},
		strings.Repeat("a", 254) + ". b":          {strings.Repeat("a", 252) + ". b", true},
		strings.Repeat("a", 250) + "    .   long": {strings.Repeat("a", 247) + ".   long", true},
	}
	for given, want := range tests {
		name, ok := SafeFilename(given)
		if diff := cmp.Diff(want, named{name, ok}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", given, diff)
		}
	}
}

// checkSafe says what is wrong with a name that SafeFilename returned.
func checkSafe(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "no name"
	case strings.ContainsAny(name, "/\\<>:\"|?*\x00"):
		return "a reserved character"
	case len(name) > 255:
		return "too long"
	case !utf8.ValidString(name):
		return "not UTF-8"
	case strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) >= 0:
		return "a control character"
	case strings.HasPrefix(name, ".") || strings.TrimRight(name, ". ") != name:
		return "dots or blanks at an end"
	case isDevice(name):
		return "a device"
	}
	return ""
}

func FuzzFilename(f *testing.F) {
	f.Add(`attachment; filename="a\"b.txt"; filename*=UTF-8''%E2%82%AC`)
	f.Add("x; filename*=iso-8859-1'en'%a3; filename=\xff; y=\"\\")
	f.Add(`; filename="../CON.txt"`)
	for _, seed := range cases.Seeds("disposition.json", "cases", "value") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		name, ok := Filename(header)
		if ok != (name != "") || !utf8.ValidString(name) {
			t.Fatalf("Filename(%q) = %q, %v", header, name, ok)
		}
		safe, ok := SafeFilename(name)
		if !ok {
			return
		}
		if fault := checkSafe(safe); fault != "" {
			t.Errorf("SafeFilename(%q) = %q: %s", name, safe, fault)
		}
		if again, _ := SafeFilename(safe); again != safe {
			t.Errorf("SafeFilename(%q) = %q, a different name", safe, again)
		}
	})
}
