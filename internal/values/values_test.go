package values

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPairs(t *testing.T) {
	type page struct {
		Query string   `url:"q"`
		Tags  []string `url:"tag"`
		Page  int      `url:"page,omitempty"`
	}
	type named [][2]string
	var none *page
	n := 3
	for _, c := range []struct {
		v     any
		want  [][2]string
		fails bool
	}{
		{nil, nil, true}, {none, nil, false},
		{url.Values{"b": {"1", "0"}, "a": {"x y"}}, [][2]string{{"a", "x y"}, {"b", "1"}, {"b", "0"}}, false},
		{map[string]string{"b": "1", "a": ""}, [][2]string{{"a", ""}, {"b", "1"}}, false},
		{map[string]any{"d": nil, "c": []int{1, 2}, "b": true, "a": 1.5, "e": &n}, [][2]string{{"a", "1.5"}, {"b", "true"}, {"c", "1"}, {"c", "2"}, {"e", "3"}}, false},
		{page{"go", []string{"x", "y"}, 0}, [][2]string{{"q", "go"}, {"tag", "x"}, {"tag", "y"}}, false},
		{&page{Query: "go", Page: 2}, [][2]string{{"page", "2"}, {"q", "go"}}, false},
		{struct {
			M map[string]string `url:"m"`
		}{map[string]string{"k": "v"}}, nil, true},
		{struct {
			In struct{ F func() } `url:"in"`
		}{}, nil, true},
		{struct {
			M any `url:"m"`
		}{[]any{map[string]int{"k": 1}}}, nil, true},
		{struct {
			M    map[string]string `url:"m,omitempty"`
			Skip chan int          `url:"-"`
			T    time.Time         `url:"t"`
			N    *int              `url:"n"`
			D    time.Duration     `url:"d"`
		}{T: time.Unix(0, 0).UTC(), N: &n}, [][2]string{{"d", "0s"}, {"n", "3"}, {"t", "1970-01-01T00:00:00Z"}}, false},
		{named{{"z", "1"}, {"a", "2"}}, [][2]string{{"z", "1"}, {"a", "2"}}, false},
		{map[string]any{"a": []byte("hi"), "b": [][]byte{[]byte("x")}, "c": &url.URL{Host: "h"}, "d": time.Second, "e": []any{1, nil, "t"}},
			[][2]string{{"a", "hi"}, {"b", "x"}, {"c", "//h"}, {"d", "1s"}, {"e", "1"}, {"e", "t"}}, false},
		{map[string]any{"a": map[string]int{"b": 1}}, nil, true}, {map[string]any{"a": page{}}, nil, true}, {map[string]any{"a": make(chan int)}, nil, true},
		{map[string]any{"a": func() {}}, nil, true}, {map[string]any{"a": [][]int{{1}}}, nil, true}, {map[string]any{"a": none}, nil, false},
		{7, nil, true}, {"a=b", nil, true}, {[]string{"a"}, nil, true}, {map[int]string{1: "a"}, nil, true},
	} {
		got, err := Pairs(c.v)
		if diff := cmp.Diff(c.want, got); diff != "" || c.fails != (err != nil) {
			t.Errorf("%#v: %v (-want +got)\n%s", c.v, err, diff)
		}
	}
}
