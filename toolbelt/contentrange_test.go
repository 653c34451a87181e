package toolbelt

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
)

func TestParseContentRange(t *testing.T) {
	type span struct {
		First, Last, Total int64
		OK                 bool
	}
	bad := span{}
	tests := map[string]span{
		"bytes 5-9/10":                  {5, 9, 10, true},
		"Bytes 5-9/*":                   {5, 9, -1, true},
		"bytes */10":                    {-1, -1, 10, true},
		"bytes */*":                     bad,
		"bytes 5-4/10":                  bad,
		"bytes 5-10/10":                 bad,
		"bytes -5-9/10":                 bad,
		"bytes +5-9/10":                 bad,
		"bytes 5-9":                     bad,
		"items 5-9/10":                  bad,
		"bytes 5/10":                    bad,
		"":                              bad,
		"bytes 5-9223372036854775806/*": {5, 9223372036854775806, -1, true},
		"bytes 5-9223372036854775807/*": bad, // what is due then ends beyond the largest number
		"bytes 5-9/9223372036854775807": bad,
		"bytes 9999999999999999999-9999999999999999999/*": bad,
	}
	for value, want := range tests {
		first, last, total, ok := parseContentRange(value)
		got := span{first, last, total, ok}
		if !ok {
			got = bad
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 5-9/10")
	for _, seed := range cases.FieldSeeds("Content-Range") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		first, last, total, ok := parseContentRange(value)
		if ok && (last < first || first < -1 || total < -1 || total >= 0 && first >= total) {
			t.Errorf("%q: %d of %d", value, first, total)
		}
	})
}
