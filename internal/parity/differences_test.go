package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A difference replaces a part of a recorded expectation: the value at Pointer (RFC 6901, from the root of the
// expectation: an object with "out" or "error" for vectors, "expect" of scenarios, the case itself for corpora).
type difference struct {
	rule    string
	pointer string
	value   string // JSON, or "delete"
}

// differences are read once from differences.txt. Its lines are
//
//	# rule-name: why the library departs from the recording
//	case-id /pointer JSON        (what is expected instead; JSON null is a value)
//	case-id /pointer delete      (the member must be absent)
//	case-id                      (the rule has a check of its own in departures)
//
// The text "${a*3}" in a value is "aaa".
//
// A case may have several lines. Blank lines and lines starting with ";" are comments.
var differences = sync.OnceValues(func() (map[string][]difference, error) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "parity", "differences.txt"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDifferences(string(raw))
})

func parseDifferences(text string) (map[string][]difference, error) {
	out := map[string][]difference{}
	rule := ""
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), ":"); ok && strings.HasPrefix(line, "#") {
			rule = strings.TrimSpace(name)
			continue
		}
		if line == "" || strings.HasPrefix(line, ";") {
			continue
		}
		id, d, err := parseDifference(line, rule)
		if err == errByRule {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("differences.txt:%d: %w", n+1, err)
		}
		out[id] = append(out[id], d)
	}
	return out, nil
}

// errByRule says that a line only lists a case which the check of its rule covers.
var errByRule = errors.New("covered by the rule")

func parseDifference(line, rule string) (string, difference, error) {
	fields := strings.SplitN(line, " ", 3)
	if len(fields) == 1 && departures[rule].holds != nil {
		return fields[0], difference{}, errByRule
	}
	if len(fields) != 3 || !strings.HasPrefix(fields[1], "/") || rule == "" {
		return "", difference{}, fmt.Errorf("want `case-id /pointer JSON` below a `# rule: reason`, have %q", line)
	}
	d := difference{rule: rule, pointer: fields[1], value: strings.TrimSpace(fields[2])}
	if d.value != "delete" && !json.Valid([]byte(d.value)) {
		return "", difference{}, fmt.Errorf("no JSON: %q", d.value)
	}
	return fields[0], d, nil
}

// expectation applies the documented differences of a case to its recorded expectation and tells whether there were any.
func expectation(t *testing.T, id string, recorded any) (any, bool) {
	t.Helper()
	all, err := differences()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all[id] {
		recorded, err = d.apply(t, recorded)
		if err != nil {
			t.Fatalf("differences.txt, rule %s, case %s: %v", d.rule, id, err)
		}
	}
	return recorded, len(all[id]) > 0
}

func (d difference) apply(t *testing.T, root any) (any, error) {
	var value any
	if d.value != "delete" {
		value = mapStrings(decodeTree(t, []byte(d.value)), repeated)
	}
	return setAt(root, strings.Split(d.pointer[1:], "/"), value, d.value == "delete")
}

// repeated writes out "${a*3}".
func repeated(s string) string {
	inner, ok := strings.CutPrefix(s, "${")
	what, times, found := strings.Cut(strings.TrimSuffix(inner, "}"), "*")
	n, err := strconv.Atoi(times)
	if !ok || !found || err != nil {
		return s
	}
	return strings.Repeat(what, n)
}

// setAt returns root with the value at the path replaced, added or deleted.
func setAt(root any, path []string, value any, del bool) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0])
	switch node := root.(type) {
	case map[string]any:
		return setMember(node, key, path[1:], value, del)
	case []any:
		return setItem(node, key, path[1:], value, del)
	}
	return nil, fmt.Errorf("nothing at %q", key)
}

func setMember(node map[string]any, key string, rest []string, value any, del bool) (any, error) {
	out := make(map[string]any, len(node)+1)
	for k, v := range node {
		out[k] = v
	}
	if del && len(rest) == 0 {
		delete(out, key)
		return out, nil
	}
	v, err := setAt(out[key], rest, value, del)
	out[key] = v
	return out, err
}

func setItem(node []any, key string, rest []string, value any, del bool) (any, error) {
	out := append([]any{}, node...)
	if key == "-" && len(rest) == 0 && !del {
		return append(out, value), nil
	}
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 || i >= len(out) {
		return nil, fmt.Errorf("no item %q in a list of %d", key, len(out))
	}
	if del && len(rest) == 0 {
		return append(out[:i], out[i+1:]...), nil
	}
	out[i], err = setAt(out[i], rest, value, del)
	return out, err
}

// TestDepartures wants every rule that the driver checks by itself to be documented.
func TestDepartures(t *testing.T) {
	text := string(readFile(t, filepath.Join("..", "..", "testdata", "parity", "differences.txt")))
	for rule := range departures {
		if !strings.Contains(text, "\n# "+rule+": ") {
			t.Errorf("differences.txt has no section %q", rule)
		}
	}
}

// TestDifferences holds the machinery to its contract: a typo in the list must be a failure, not a silent pass.
func TestDifferences(t *testing.T) {
	all, err := parseDifferences("# r: why\na/b /calls/0/error \"X\"\na/b /wire delete\n")
	if err != nil || len(all["a/b"]) != 2 {
		t.Fatalf("parse: %v, %v", all, err)
	}
	root := decodeTree(t, []byte(`{"calls": [{"status": 1}], "wire": {}}`))
	for _, d := range all["a/b"] {
		if root, err = d.apply(t, root); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := json.Marshal(root)
	if want := `{"calls":[{"error":"X","status":1}]}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"a/b /x 1", "# r: w\na/b x 1", "# r: w\na/b /x nope"} {
		if _, err := parseDifferences(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
