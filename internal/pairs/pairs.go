// Package pairs lays ordered lists of names and values over each other: header fields,
// whose names have no letter case, and parameters, whose names have.
package pairs

import (
	"iter"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// What becomes of a name that both lists have, and of one that is repeated in over:
//
//	OverlayFields   over's first value where base has it, the others at the end
//	ReplaceFields   all of over's at the end
//	Overlay         all of over's where base has it

// All iterates over the pairs in order.
func All(list [][2]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, p := range list {
			if !yield(p[0], p[1]) {
				return
			}
		}
	}
}

// OverlayFields returns base with the fields of over: the first field of a name takes
// the place of base's, a repeated one follows at the end, as two fields of one name in a
// single literal are both meant. Neither list is changed. The result uses the memory of
// dst if it fits in there; base may lie at the start of it.
func OverlayFields(dst, base, over [][2]string) [][2]string {
	if len(over) > fewFields {
		return overlayMany(base, over)
	}
	if cap(dst) < len(base)+len(over) {
		dst = make([][2]string, 0, len(base)+len(over)+4)
	}
	merged := append(dst[:0], base...)
	for i, f := range over {
		if HasField(over[:i], f[0]) {
			merged = append(merged, f)
			continue
		}
		merged = SetField(merged, f[0], f[1])
	}
	return merged
}

// fewFields is up to how many fields looking through all of them for each costs less than a map.
const fewFields = 32

// overlayMany is OverlayFields in linear time.
func overlayMany(base, over [][2]string) [][2]string {
	first := make(map[string]int, len(over)) // in over, by name
	for i := len(over) - 1; i >= 0; i-- {
		first[ascii.Lower(over[i][0])] = i
	}
	merged := make([][2]string, 0, len(base)+len(over)+4)
	placed := make([]bool, len(over))
	for _, f := range base {
		switch i, ok := first[ascii.Lower(f[0])]; {
		case !ok:
			merged = append(merged, f)
		case !placed[i]:
			merged, placed[i] = append(merged, over[i]), true
		}
	}
	for i, f := range over {
		if !placed[i] {
			merged = append(merged, f)
		}
	}
	return merged
}

// SetField gives name the single value, in the list itself where that is possible: a field
// that is there already keeps its place and takes the new spelling of the name; further
// ones are removed.
func SetField(fields [][2]string, name, value string) [][2]string {
	i := IndexField(fields, name)
	if i < 0 {
		return append(fields, [2]string{name, value})
	}
	fields[i] = [2]string{name, value}
	return append(fields[:i+1], DeleteField(fields[i+1:], name)...)
}

// DeleteField removes every field called name, in the list itself.
func DeleteField(fields [][2]string, name string) [][2]string {
	return slices.DeleteFunc(fields, func(f [2]string) bool { return sameField(f[0], name) })
}

// HasField reports whether there is a field called name.
func HasField(fields [][2]string, name string) bool { return IndexField(fields, name) >= 0 }

// IndexField returns where the first field called name is, -1 if there is none.
func IndexField(fields [][2]string, name string) int {
	for i := range fields {
		if len(fields[i][0]) == len(name) && sameField(fields[i][0], name) {
			return i
		}
	}
	return -1
}

// Fields returns the values of all fields called name in order, nil if there are none.
func Fields(fields [][2]string, name string) (values []string) {
	for i := range fields {
		if len(fields[i][0]) == len(name) && sameField(fields[i][0], name) {
			values = append(values, fields[i][1])
		}
	}
	return values
}

// sameField is strings.EqualFold, for names that are nearly always ASCII and differ at their first letter, or in no byte.
func sameField(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if x, y := a[i], b[i]; x|y >= 0x80 {
			return strings.EqualFold(a[i:], b[i:])
		} else if x != y && ascii.LowerByte(x) != ascii.LowerByte(y) {
			return false
		}
	}
	return true
}

// ReplaceFields returns the fields whose names over has not, and then those of over. It
// uses the memory of fields.
func ReplaceFields(fields, over [][2]string) [][2]string {
	kept := slices.DeleteFunc(fields, func(f [2]string) bool { return HasField(over, f[0]) })
	return append(kept, over...)
}

// Overlay returns base with the pairs of over: a name of both takes the place of base's,
// with all of over's values. Names of base that are in without are left out.
func Overlay(base, over [][2]string, without []string) [][2]string {
	merged := make([][2]string, 0, len(base)+len(over))
	done := map[string]bool{}
	for _, kv := range base {
		switch {
		case done[kv[0]] || slices.Contains(without, kv[0]):
		case has(over, kv[0]):
			merged = append(merged, only(over, kv[0])...)
			done[kv[0]] = true
		default:
			merged = append(merged, kv)
		}
	}
	for _, kv := range over {
		if !done[kv[0]] {
			merged = append(merged, kv)
		}
	}
	return merged
}

func has(list [][2]string, name string) bool {
	return slices.ContainsFunc(list, func(kv [2]string) bool { return kv[0] == name })
}

func only(list [][2]string, name string) [][2]string {
	return slices.DeleteFunc(slices.Clone(list), func(kv [2]string) bool { return kv[0] != name })
}

// Lines are header fields as one text, which can be compared.
func Lines(fields [][2]string) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f[0] + ":" + f[1] + "\n")
	}
	return b.String()
}

// OfLines returns the fields of Lines.
func OfLines(lines string) (fields [][2]string) {
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		fields = append(fields, [2]string{name, value})
	}
	return fields
}

// Complete adds those of the named fields that others have, and fields has not.
func Complete(fields, others [][2]string, names ...string) [][2]string {
	for _, name := range names {
		if i := IndexField(others, name); i >= 0 && !HasField(fields, name) {
			fields = append(fields, others[i])
		}
	}
	return fields
}
