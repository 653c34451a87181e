package pairs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// list reads "a=1 b=2".
func list(text string) (pairs [][2]string) {
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		pairs = append(pairs, [2]string{name, value})
	}
	return pairs
}

func text(pairs [][2]string) string {
	var words []string
	for _, kv := range pairs {
		words = append(words, kv[0]+"="+kv[1])
	}
	return strings.Join(words, " ")
}

func TestOverlay(t *testing.T) {
	for _, c := range []struct{ base, over, fields, replaced, params string }{
		{"", "", "", "", ""},
		{"a=0", "", "a=0", "a=0", "a=0"},
		{"", "a=1", "a=1", "a=1", "a=1"},
		{"", "a=1 A=2 b=1 a=3", "a=1 A=2 b=1 a=3", "a=1 A=2 b=1 a=3", "a=1 A=2 b=1 a=3"},
		{"a=0 b=0", "b=1", "a=0 b=1", "a=0 b=1", "a=0 b=1"},
		{"a=0 b=0", "a=1", "a=1 b=0", "b=0 a=1", "a=1 b=0"},
		{"a=0 b=0 a=00", "a=1", "a=1 b=0", "b=0 a=1", "a=1 b=0"},
		{"a=0 b=0", "a=1 c=1 a=2", "a=1 b=0 c=1 a=2", "b=0 a=1 c=1 a=2", "a=1 a=2 b=0 c=1"},
		{"a=0 b=0", "A=1", "A=1 b=0", "b=0 A=1", "a=0 b=0 A=1"},
		{"gone=0 a=0", "gone=1", "gone=1 a=0", "a=0 gone=1", "a=0 gone=1"},
		{"gone=0 a=0", "b=1", "gone=0 a=0 b=1", "gone=0 a=0 b=1", "a=0 b=1"},
		// Names that only Unicode takes for one are two.
		{"k=0", "\u212a=1", "k=0 \u212a=1", "k=0 \u212a=1", "k=0 \u212a=1"},
	} {
		base, over := list(c.base), list(c.over)
		got := []string{text(OverlayFields(nil, base, over)), text(ReplaceFields(slices.Clone(base), over)), text(Overlay(base, over, []string{"gone"}))}
		if diff := cmp.Diff([]string{c.fields, c.replaced, c.params}, got); diff != "" {
			t.Errorf("%q over %q (-want +got)\n%s", c.over, c.base, diff)
		}
		if text(base) != c.base || text(over) != c.over {
			t.Errorf("%q over %q: they are %q and %q now", c.over, c.base, text(over), text(base))
		}
	}
}

// TestOverlayMany: long lists are laid over each other as short ones are.
func TestOverlayMany(t *testing.T) {
	names := []string{"a", "A", "b", "c", "C", "d"}
	for n := range 200 {
		var base, over [][2]string
		for i := range n % 7 {
			base = append(base, [2]string{names[(n+i*i)%len(names)], fmt.Sprint("base", i)})
		}
		for i := range n % 11 {
			over = append(over, [2]string{names[(n*i+i)%len(names)], fmt.Sprint("over", i)})
		}
		if diff := cmp.Diff(text(OverlayFields(nil, base, over)), text(overlayMany(base, over))); diff != "" {
			t.Errorf("%v over %v (-few +many)\n%s", over, base, diff)
		}
	}
}

// TestFields asks lists of fields for names.
func TestFields(t *testing.T) {
	for _, c := range []struct {
		fields, name string
		index        int
		values       []string
		set, deleted string
	}{
		{"", "a", -1, nil, "a=new", ""},
		{"a=1", "A", 0, []string{"1"}, "A=new", ""},
		{"b=1 a=2 B=3 a=4", "a", 1, []string{"2", "4"}, "b=1 a=new B=3", "b=1 B=3"},
		{"b=1 a=", "a", 1, []string{""}, "b=1 a=new", "b=1"},
		{"aa=1", "a", -1, nil, "aa=1 a=new", "aa=1"},
	} {
		type answers struct {
			Index        int
			Has          bool
			Values       []string
			Set, Deleted string
		}
		got := answers{
			IndexField(list(c.fields), c.name), HasField(list(c.fields), c.name), Fields(list(c.fields), c.name),
			text(SetField(list(c.fields), c.name, "new")), text(DeleteField(list(c.fields), c.name)),
		}
		if diff := cmp.Diff(answers{c.index, c.index >= 0, c.values, c.set, c.deleted}, got); diff != "" {
			t.Errorf("%q in %q (-want +got)\n%s", c.name, c.fields, diff)
		}
	}
}
