package parity

import (
	"reflect"
	"slices"
	"strings"
)

// Departures in the toolbelt's strategies and in retries.

var authDepartures = map[string]departure{
	"strategy-paths":    {[]string{"toolbelt_auth_handler"}, strategyHasPath, pathsCount},
	"query-is-repeated": {[]string{"urllib3_retry_from_int", "urllib3_retry_is_retry"}, aboutQuery, alsoQuery},
}

// strategyHasPath reports whether a strategy is for a part of an origin.
func strategyHasPath(in input, _ map[string]any) bool {
	return slices.ContainsFunc(strategiesOf(in), func(s []any) bool { return pathOf(s[0].(string)) != "" })
}

// strategiesOf lists what is added, at first and by the operations, as domain and credentials.
func strategiesOf(in input) [][]any {
	var all [][]any
	for _, s := range in.list("strategies") {
		all = append(all, s.([]any))
	}
	for _, o := range in.list("ops") {
		if op := o.([]any); op[0] == "add" {
			all = append(all, op[1:])
		}
	}
	return all
}

// pathOf is the path of a domain, "" for a whole origin.
func pathOf(domain string) string {
	_, rest, ok := strings.Cut(domain, "//")
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	i := strings.IndexByte(rest, '/')
	if !ok || i < 0 || rest[i:] == "/" {
		return ""
	}
	return rest[i:]
}

// pathsCount wants what was recorded, but for keys that end in their path and strategies whose path the URL is not below.
func pathsCount(o observed) bool {
	got, _ := normalTree(o.got).([]any)
	want, _ := o.want["out"].([]any)
	ops := o.in.list("ops")
	if o.err != nil || len(got) != len(want) || len(got) != len(ops) {
		return false
	}
	for i, v := range ops {
		op := v.([]any)
		expected := want[i]
		switch op[0] {
		case "keys":
			expected = keysWithPaths(o.in, want[i])
		case "get":
			expected = belowPath(o.in, op[1].(string), want[i])
		}
		if mismatch(normalTree(expected), got[i]) != "" {
			return false
		}
	}
	return true
}

func keysWithPaths(in input, recorded any) any {
	var keys []any
	for _, key := range recorded.([]any) {
		for _, s := range strategiesOf(in) {
			if path := pathOf(s[0].(string)); strings.HasPrefix(strings.ToLower(s[0].(string)), key.(string)) {
				key = key.(string) + path
				break
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// belowPath is what was recorded, or nothing where the URL is outside of the path its strategy is for.
func belowPath(in input, url string, recorded any) any {
	for _, s := range strategiesOf(in) {
		path := pathOf(s[0].(string))
		if reflect.DeepEqual(normalTree(s[1]), normalTree(recorded)) && path != "" && !strings.HasPrefix(pathOf(url)+"/", strings.TrimSuffix(path, "/")+"/") {
			return "null"
		}
	}
	return recorded
}

// alsoQuery wants what was recorded, with QUERY among the methods that may be repeated.
func alsoQuery(o observed) bool {
	if o.kind == "urllib3_retry_is_retry" {
		return o.err == nil && o.got == true && strings.EqualFold(o.in.text("method"), "QUERY")
	}
	want, _ := clone(o.want["out"]).(map[string]any)
	methods, _ := want["allowed_methods"].([]any)
	at, _ := slices.BinarySearchFunc(methods, "QUERY", func(m any, name string) int { return strings.Compare(m.(string), name) })
	want["allowed_methods"] = slices.Insert(slices.Clone(methods), at, any("QUERY"))
	return o.err == nil && mismatch(normalTree(want), normalTree(o.got)) == ""
}

// aboutQuery reports whether QUERY matters: it is the method, or a list of methods is in the result.
func aboutQuery(in input, _ map[string]any) bool {
	return !in.present("method") || strings.EqualFold(in.text("method"), "QUERY")
}
