package parity

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// result is what a runner returned.
type result struct {
	got any
	err error
}

// observed is one vector: its input, its recording, and what the library did with it.
type observed struct {
	t    *testing.T
	kind string
	in   input
	want map[string]any
	result
}

// A departure is a rule by which results differ from the recordings. It covers cases nobody has listed as well: applies
// looks at the input, and holds wants exactly what docs/differences.md promises for it, a value or an error of a Kind. It
// is asked only where a result is not as recorded.
type departure struct {
	kinds   []string
	applies func(in input, want map[string]any) bool
	holds   func(o observed) bool
}

// departed looks for the rule that covers a result which is not as recorded. Nothing is wrong if the rule holds.
func departed(o observed, wrong string) (rule, stillWrong string) {
	for _, name := range sortedKeys(departures) {
		d := departures[name]
		if !slices.Contains(d.kinds, o.kind) || !d.applies(o.in, o.want) {
			continue
		}
		if d.holds(o) {
			return name, ""
		}
		wrong = "rule " + name + " does not hold: " + wrong
	}
	return "", wrong
}

// refusedAs wants an error of one of the Kinds, which may be this library's or the toolbelt's.
func refusedAs(kinds ...error) func(o observed) bool {
	return func(o observed) bool {
		err := o.err
		if e, ok := errors.AsType[*uri.Error](err); ok {
			_, err = kindOfURI("", e)
		}
		return err != nil && slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
	}
}

// asWith wants what the library gives for an edited input: the rule says that the two mean the same.
func asWith(edit func(in input) input) func(o observed) bool {
	return func(o observed) bool {
		if o.err != nil {
			return false
		}
		again, err := runners[o.kind](o.t, edit(o.in.clone()))
		return err == nil && o.equals(again)
	}
}

// equals compares what the library returned with another value, in the form in which the kind is compared.
func (o observed) equals(other any) bool {
	a, b := normalTree(o.got), normalTree(other)
	if normal := normalisers[o.kind]; normal != nil {
		a, b = normal(a), normal(b)
	}
	return mismatch(a, b) == ""
}

// clone is a copy whose members can be replaced.
func (in input) clone() input { return input{maps.Clone(in.fields)} }

// with is a copy with a member replaced.
func (in input) with(key string, value any) input {
	c := in.clone()
	c.fields[key] = value
	return c
}

// recordedError reports whether the recording is an error of the class.
func recordedError(class string) func(in input, want map[string]any) bool {
	return func(_ input, want map[string]any) bool { return want["error"] == class }
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

// kindName is the class of Requests that stands for an error, for results that show one.
func kindName(err error) string {
	if errors.Is(err, requests.ErrRequest) {
		return mostDerived(errorNames(err))
	}
	return "ChunkedEncodingError" // of a raw body, which can only fail in its framing
}
