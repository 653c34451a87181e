package certs

import "testing"

func TestHandle(t *testing.T) {
	type value struct{ name, key string }
	a, b := value{"a", "k"}, value{"b", "k"}
	for _, v := range []value{{}, a, b} {
		if got := HandleOf(v).Value(); got != v {
			t.Errorf("the value of the handle of %v is %v", v, got)
		}
	}
	if HandleOf(a) != HandleOf(value{"a", "k"}) || HandleOf(a) == HandleOf(b) || HandleOf(value{}) != (Handle[value]{}) {
		t.Error("handles do not compare as their values do")
	}
}
