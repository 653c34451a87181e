package values

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"net/url"
	"testing"
	"time"
	"unsafe"

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

type (
	id     [4]byte
	ptr    struct{ n int }
	masked string
	coded  struct{ n int }
	Inner  struct {
		Z masked `url:"z"`
	}
	hidden struct{ Y *big.Int }
	fails  string
)

func (i id) String() string                  { return fmt.Sprintf("%x", i[:]) }
func (p *ptr) String() string                { return fmt.Sprint("p", p.n) }
func (masked) Format(f fmt.State, _ rune)    { io.WriteString(f, "***") }
func (masked) MarshalText() ([]byte, error)  { return []byte("***"), nil }
func (c coded) MarshalText() ([]byte, error) { return fmt.Append(nil, "c", c.n), nil }
func (fails) Error() string                  { return "it failed" }

// TestText holds the one rule of how a value is written: in maps, structs, lists, behind pointers and any.
func TestText(t *testing.T) {
	at, n, ada := time.Unix(0, 5e8).UTC(), 7, masked("ada")
	for _, c := range []struct {
		v    any
		want string // nothing for what only Go can read
	}{
		{big.NewInt(42), "42"}, {big.NewRat(1, 2), "1/2"}, {&url.URL{Scheme: "http", Host: "h"}, "http://h"}, {id{1, 2}, "01020000"}, {&id{1}, "01000000"},
		{&ptr{3}, "p3"}, {masked("hunter2"), "hunter2"}, {&ada, "ada"}, {coded{4}, "c4"}, {&coded{4}, "c4"}, {&n, "7"}, {[]byte("hi"), "hi"}, {time.Second, "1s"},
		{netip.MustParseAddr("::1"), "::1"}, {true, "true"}, {1.5, "1.5"}, {at, "1970-01-01T00:00:00.5Z"}, {&at, "1970-01-01T00:00:00.5Z"},
		{func() {}, ""}, {make(chan int), ""}, {errors.New("e"), ""}, {fails("f"), ""}, {fmt.Errorf("w %w", io.EOF), ""}, {ptr{3}, ""}, {struct{ A int }{1}, ""},
		{&struct{ A int }{1}, ""}, {complex(1, 2), ""}, {unsafe.Pointer(&n), ""},
	} {
		for name, v := range map[string]any{"map": map[string]any{"k": c.v}, "list": map[string]any{"k": []any{c.v}}} {
			got, err := Pairs(v)
			_, unfit := errors.AsType[Unfit](err)
			if want := [][2]string{{"k", c.want}}; c.want != "" && !cmp.Equal(got, want) || unfit != (c.want == "") {
				t.Errorf("%s of %T: %q, %v, want %q", name, c.v, got, err, c.want)
			}
		}
	}
}

// TestStructs has what go-querystring alone writes as the numbers of a UUID, the mask of a secret, or not at all.
func TestStructs(t *testing.T) {
	n := masked("n")
	got, err := Pairs(struct {
		Inner
		*hidden
		A id             `url:"a"`
		B []id           `url:"b,comma"`
		C *big.Int       `url:"c"`
		D any            `url:"d"`
		E []masked       `url:"e,brackets"`
		F *masked        `url:"f"`
		G []byte         `url:"g"`
		H []any          `url:"h" del:"|"`
		I bool           `url:"i,int"`
		J []bool         `url:"j,int"`
		K time.Time      `url:"k,unix"`
		L []time.Time    `url:"l" layout:"2006"`
		M any            `url:"m"`
		N struct{ X id } `url:"n"`
		O masked         `url:"o,omitempty"`
		P *int           `url:"p"`
		Q []string       `url:"q,numbered"`
		R coded
		S []*masked `url:"s,space"`
		T any       `url:"t"`
	}{Inner{"z"}, &hidden{big.NewInt(9)}, id{1}, []id{{2}, {3}}, big.NewInt(42), masked("d"), []masked{"e"}, &n, []byte("g"), []any{1, nil, masked("h")}, true, []bool{false},
		time.Unix(5, 0), []time.Time{time.Unix(0, 0).UTC()}, nil, struct{ X id }{id{4}}, "", nil, []string{"q"}, coded{1}, []*masked{&n, &n}, Inner{"t"}})
	want := [][2]string{{"R", "c1"}, {"Y", "9"}, {"a", "01000000"}, {"b", "02000000,03000000"}, {"c", "42"}, {"d", "d"}, {"e[]", "e"}, {"f", "n"}, {"g", "g"}, {"h", "1|h"}, {"i", "1"},
		{"j", "0"}, {"k", "5"}, {"l", "1970"}, {"n[X]", "04000000"}, {"p", ""}, {"q0", "q"}, {"s", "n n"}, {"t[z]", "t"}, {"z", "z"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, v := range []any{
		struct{ F func() }{func() {}}, struct{ E error }{io.EOF}, struct{ A []any }{[]any{struct{}{}}}, struct{ In struct{ E any } }{struct{ E any }{make(chan int)}},
	} {
		if got, err := Pairs(v); err == nil {
			t.Errorf("%T: %q", v, got)
		}
	}
}
