package parity

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// result is what a runner returned.
type result struct {
	got any
	err error
}

// A departure is a rule by which results differ from the recordings, with a check of its own: it covers cases nobody
// has listed as well. It is looked at only where a result is not as recorded.
type departure struct {
	kinds   []string
	applies func(in input, want map[string]any) bool
	check   func(in input, want map[string]any, r result) bool
}

// departed looks for the rule that covers a result which is not as recorded. Nothing is wrong if the rule holds.
func departed(kind string, in input, want map[string]any, r result, wrong string) (rule, stillWrong string) {
	for _, name := range sortedKeys(departures) {
		d := departures[name]
		if !slices.Contains(d.kinds, kind) || !d.applies(in, want) {
			continue
		}
		if d.check(in, want, r) {
			return name, ""
		}
		wrong = "rule " + name + " does not hold: " + wrong
	}
	return "", wrong
}

// refused is the check of rules by which something is an error here.
func refused(_ input, _ map[string]any, r result) bool { return r.err != nil }

// accepted is the check of rules by which something is no error here.
func accepted(_ input, _ map[string]any, r result) bool { return r.err == nil }

// recordedError tells whether the recording is an error of the class.
func recordedError(class string) func(in input, want map[string]any) bool {
	return func(_ input, want map[string]any) bool { return want["error"] == class }
}

// rawHead is the head of a raw response, up to the empty line; whole tells whether there is one.
func rawHead(in input) (lines []string, whole bool) {
	head, rest, whole := strings.Cut(strings.ReplaceAll(string(in.bytes("raw")), "\r\n", "\n"), "\n\n")
	for whole && strings.HasPrefix(head, "HTTP/1.1 100") {
		head, rest, whole = strings.Cut(rest, "\n\n")
	}
	return strings.Split(head, "\n"), whole
}

// rawField returns the values of a field of a raw response.
func rawField(in input, name string) (values []string) {
	lines, _ := rawHead(in)
	for _, line := range lines[1:] {
		field, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(field, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// normalTree is a result as a tree, numbers in one form.
func normalTree(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&tree) != nil {
		return nil
	}
	return normalNumbers(tree)
}
