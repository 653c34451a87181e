package cookie

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wiretest"
)

// TestShadowsAny: where the jar is walked, what may be read as a Secure cookie is found as where it is counted, and a response
// full of names that are blanks does not take seconds.
func TestShadowsAny(t *testing.T) {
	blanks := strings.Repeat("\u2000", 1000)
	deep := "/" + strings.Repeat("a/", maxParts+1)
	for _, path := range []string{"/", deep} {
		got := map[string]bool{}
		for _, field := range []string{"SID=evil", "=SID=evil", "SID", "\u2000SID=evil", "SID2=fine", "=SID2=fine"} {
			j := newJar(Rules{})
			j.receive("https://a.test/", "SID=good; Secure; Path=/")
			j.receive("http://a.test/", field+"; Path="+path)
			got[field] = j.Len() > 1
		}
		want := map[string]bool{"SID=evil": false, "=SID=evil": false, "SID": false, "\u2000SID=evil": false, "SID2=fine": true, "=SID2=fine": true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kept below %.9s (-want +got)\n%s", path, diff)
		}
	}
	j := newJar(Rules{})
	for site := range 17 {
		var fields []string
		for i := range maxOfSite {
			fields = append(fields, fmt.Sprintf("%s%d=x; Secure; Path=/", blanks, i))
		}
		j.receive(fmt.Sprintf("https://a.site%d.test/", site), fields...)
	}
	var fields []string
	for i := range 256 {
		fields = append(fields, fmt.Sprintf("%s%d=x; Path=%s", blanks, i+1000, deep))
	}
	if took := wiretest.Spent(func() { j.receive("http://b.site1.test/", fields...) }); took > 2*time.Second {
		t.Errorf("a response took %v", took)
	} else {
		t.Log(took, j.Len())
	}
}
