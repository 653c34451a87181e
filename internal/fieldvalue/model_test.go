package fieldvalue

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzLinkModel writes links from their parts by RFC 8288 and reads them again.
func FuzzLinkModel(f *testing.F) {
	f.Add("https://h/i?title=X;old=9", "original", "a, b; c", "/x", true)
	f.Add("", "next", `quoted " and \`, "/x,y", false)
	f.Add("?a=<", "NEXT prev", "", "", true)
	f.Fuzz(func(t *testing.T, target, rel, title, second string, spaced bool) {
		for _, s := range []string{target, rel, title, second} {
			if strings.ContainsAny(s, ">\r\n\x00") {
				return // nothing that a field could hold
			}
		}
		blank := ""
		if spaced {
			blank = " "
		}
		quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
		value := fmt.Sprintf("<%s>%s;%srel=%s;title=%s%s,%s<%s>;REL=next", target, blank, blank, quote(rel), quote(title), blank, blank, second)
		links := WebLinks(value)
		if len(links) != 2 || links[0].Target != target || links[1].Target != second || fmt.Sprint(links[1].Rel) != "[next]" {
			t.Fatalf("%q: %+v", value, links)
		}
		if got := links[0].Params; len(got) != 1 || got[0] != [2]string{"title", title} {
			t.Errorf("%q: %q", value, got)
		}
		if len(links[0].Rel) != len(strings.Fields(rel)) && isASCIIText(rel) {
			t.Errorf("%q: relations %q", value, links[0].Rel)
		}
	})
}

func isASCIIText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
