package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

// A vectorFunc calls the library's function for one kind of vector. It returns what is to be compared with "out", an
// error to be compared with "error", or an inexpressible error for input that Go's types rule out.
type vectorFunc func(t *testing.T, in input) (any, error)

// runners is filled from the files of the rooms.
var runners = map[string]vectorFunc{}

// register adds the runners of a subject; the result is only there so that it can be a package variable.
func register(group map[string]vectorFunc) struct{} {
	maps.Copy(runners, group)
	return struct{}{}
}

// vectorFile is one kind with its cases.
type vectorFile struct {
	Kind  string `json:"kind"`
	Cases []struct {
		ID    string          `json:"id"`
		In    json.RawMessage `json:"in"`
		Out   json.RawMessage `json:"out"`
		Error string          `json:"error"`
		Text  *string         `json:"message"`
	} `json:"cases"`
}

// TestVectors runs vectors/*.json.
func TestVectors(t *testing.T) {
	tl := newTally(t)
	for _, path := range caseFiles(t, "vectors") {
		var file vectorFile
		if err := json.Unmarshal(readFile(t, path), &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		run := runners[file.Kind]
		for _, c := range file.Cases {
			recorded := map[string]any{"error": c.Error}
			if c.Error == "" {
				recorded = map[string]any{"out": decodeTree(t, c.Out)}
			}
			want, covered := expectation(t, c.ID, recorded)
			tl.run(t, file.Kind, c.ID, covered, func(t *testing.T) string {
				if run == nil {
					return fmt.Sprintf("unknown kind %q: no runner for kind", file.Kind)
				}
				in, _ := decodeTree(t, c.In).(map[string]any)
				got, err := run(t, input{in})
				wrong := compareVector(t, file.Kind, want.(map[string]any), got, err)
				if wrong == "" || covered {
					return wrong
				}
				rule, wrong := departed(observed{t, file.Kind, input{in}, want.(map[string]any), result{got, err}}, wrong)
				if wrong == "" {
					t.Logf("%s is different by rule %s", c.ID, rule)
					tl.markDifferent(c.ID)
				}
				return wrong
			})
		}
	}
}

// normalisers bring both sides of a kind into a form in which equal things are equal; recordedForms first bring the
// recorded side into the form of the results.
var (
	normalisers   = map[string]func(tree any) any{}
	recordedForms = map[string]func(tree any) any{}
)

func compareVector(t *testing.T, kind string, want map[string]any, got any, err error) string {
	t.Helper()
	if reason, ok := errors.AsType[inexpressible](err); ok {
		t.Skip(reason)
	}
	name, _ := want["error"].(string)
	switch {
	case err == nil && name != "":
		return fmt.Sprintf("got %v, want the error %s", toTree(t, got), name)
	case err != nil && name == "":
		return fmt.Sprintf("got the error %v, want %v", err, want["out"])
	case err != nil && !sameError(name, err):
		return fmt.Sprintf("got the error %v (%v), want %s", err, errorNames(err), name)
	case err != nil:
		return ""
	}
	wantTree, gotTree := normalNumbers(want["out"]), toTree(t, got)
	if form := recordedForms[kind]; form != nil {
		wantTree = form(wantTree)
	}
	if normal := normalisers[kind]; normal != nil {
		wantTree, gotTree = normal(wantTree), normal(gotTree)
	}
	return mismatch(wantTree, gotTree)
}

// recordedNow is what time.time gave while the vectors were recorded.
const recordedNow = 1700000000

// atTime runs f with the clock standing at a Unix time, which must not be before the year 2000.
func atTime(t *testing.T, unix int64, f func()) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(unix, 0)))
		f()
	})
}

// input gives the named inputs of a vector.
type input struct{ fields map[string]any }

func (in input) has(key string) bool { _, ok := in.fields[key]; return ok }

// present tells whether key is given and not null.
func (in input) present(key string) bool { return in.fields[key] != nil }

// text is a string input; absent or null is "".
func (in input) text(key string) string {
	s, _ := in.fields[key].(string)
	return s
}

// textOr is a string input with a default.
func (in input) textOr(key, absent string) string {
	if s, ok := in.fields[key].(string); ok {
		return s
	}
	return absent
}

// textOrBytes is a string as UTF-8, or {"b64"}; ok is false for anything else.
func (in input) textOrBytes(key string) (value []byte, isText, ok bool) {
	return textOrBytes(in.fields[key])
}

func textOrBytes(v any) (value []byte, isText, ok bool) {
	switch v := v.(type) {
	case string:
		return []byte(v), true, true
	case map[string]any:
		b, ok := b64Value(v)
		return b, false, ok
	}
	return nil, false, false
}

// bytes is a {"b64"} input, nil when absent.
func (in input) bytes(key string) []byte {
	object, _ := in.fields[key].(map[string]any)
	b, _ := b64Value(object)
	return b
}

func (in input) int(key string) int { return intOf(in.fields[key]) }

func (in input) intOr(key string, absent int) int {
	if !in.present(key) {
		return absent
	}
	return in.int(key)
}

func (in input) bool(key string) bool { b, _ := in.fields[key].(bool); return b }

// boolOr is a bool input with a default.
func (in input) boolOr(key string, absent bool) bool {
	if b, ok := in.fields[key].(bool); ok {
		return b
	}
	return absent
}

// typed decodes a typed value; absent is nil.
func (in input) typed(t *testing.T, key string) any {
	t.Helper()
	v, err := typed(in.fields[key])
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// list is a list input, nil when absent.
func (in input) list(key string) []any { l, _ := in.fields[key].([]any); return l }

// object is an object input seen as inputs.
func (in input) object(key string) input {
	o, _ := in.fields[key].(map[string]any)
	return input{o}
}

// objects is a list of objects.
func (in input) objects(key string) []input {
	var out []input
	for _, v := range in.list(key) {
		o, _ := v.(map[string]any)
		out = append(out, input{o})
	}
	return out
}

// texts is a list of strings.
func (in input) texts(key string) []string {
	var out []string
	for _, v := range in.list(key) {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// pairs reads a list of [name, value]: names are text or bytes, and so are values unless they are null; those come apart.
func (in input) pairs(key string) (pairs [][2]string, null []string, err error) {
	return in.readPairs(key, func(b []byte, _ bool) (string, error) { return string(b), nil })
}

// headerPairs is pairs with text as the bytes that Latin-1 makes of it.
func (in input) headerPairs(key string) (pairs [][2]string, null []string, err error) {
	return in.readPairs(key, func(b []byte, isText bool) (string, error) {
		if isText && !isLatin1(string(b)) {
			return "", cannot("header text beyond Latin-1, which no header can hold")
		}
		return latin1Bytes(b, isText), nil
	})
}

func (in input) readPairs(key string, show func(b []byte, isText bool) (string, error)) (pairs [][2]string, null []string, err error) {
	for _, v := range in.list(key) {
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			return nil, nil, cannot("%v where a pair is due", v)
		}
		var both [2]string
		for i, part := range pair {
			b, isText, ok := textOrBytes(part)
			switch {
			case i == 1 && part == nil:
				null = append(null, both[0])
				continue
			case !ok:
				return nil, nil, cannot("%v where text is due", part)
			}
			if both[i], err = show(b, isText); err != nil {
				return nil, nil, err
			}
		}
		if pair[1] != nil {
			pairs = append(pairs, both)
		}
	}
	return pairs, null, nil
}

// notNull is the pairs of a list in which no value may be null.
func notNull(pairs [][2]string, null []string, err error) ([][2]string, error) {
	if err == nil && len(null) > 0 {
		return nil, cannot("null as the value of %q", null[0])
	}
	return pairs, err
}

// stringMap is an object of strings; null values come apart.
func (in input) stringMap(key string) (values map[string]string, null []string) {
	o, _ := in.fields[key].(map[string]any)
	values = map[string]string{}
	for k, v := range o {
		if s, ok := v.(string); ok {
			values[k] = s
			continue
		}
		null = append(null, k)
	}
	return values, null
}

// setEnvironment sets the variables of a case until it ends.
func (in input) setEnvironment(t *testing.T) {
	values, _ := in.stringMap("env")
	for name, value := range values {
		t.Setenv(name, value)
	}
}
