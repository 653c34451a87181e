package cookie

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// queried shows everything a jar can be asked, and what is left after it was emptied by each way.
func queried(j *Jar) []string {
	var names []string
	for _, c := range j.Find("", "", "") {
		names = append(names, c.Name)
	}
	return []string{
		fmt.Sprint(names, j.Len(), j.Domains(), j.Paths()),
		fmt.Sprint(j.Values("", ""), j.Values("A.test", ""), j.Values("", "/p"), j.Values("a.test", "/")),
		fmt.Sprint(len(j.Find("a", "", "")), len(j.Find("a", "b.test", "")), len(j.Find("none", "", "")), j.Has("a"), j.Has("none"), j.Has("")),
		fmt.Sprint(j.DeleteExpired(), j.Len(), j.Delete("a", "A.TEST", ""), j.Len(), j.DeleteSession(), j.Len()),
	}
}

func TestQueries(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	j := &Jar{Clock: func() time.Time { return now }}
	for _, c := range []Cookie{
		{Name: "a", Value: "1", Domain: "a.test", Path: "/", Expires: now.Add(time.Hour)},
		{Name: "a", Value: "2", Domain: "a.test", Path: "/p"},
		{Name: "old", Value: "3", Domain: "a.test", Path: "/", Expires: now.Add(-time.Hour)},
		{Name: "a", Value: "4", Domain: "b.test", Path: "/", Expires: now.Add(time.Hour)},
		{Name: "b", Value: "5", Domain: "b.test", Path: "/"},
	} {
		j.Put(ByHand(c, Rules{}))
	}
	want := []string{
		"[a old a a b] 5 [a.test b.test] [/ /p]",
		"map[a:4 b:5 old:3] map[a:2 old:3] map[a:2] map[a:1 old:3]",
		"3 1 0 true false false",
		"1 4 2 2 1 1",
	}
	if diff := cmp.Diff(want, queried(j)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNilJar: a nil jar is empty.
func TestNilJar(t *testing.T) {
	var j *Jar
	want := []string{"[] 0 [] []", "map[] map[] map[] map[]", "0 0 0 false false false", "0 0 0 0 0 0"}
	if diff := cmp.Diff(want, queried(j)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	j.Clear()
}
