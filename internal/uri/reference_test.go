package uri

import (
	"errors"
	"strings"
	"testing"

	"github.com/mountable/requests/internal/ascii"
)

// The recorded cases of urllib3 itself are not part of the module.

// TestReferenceParseURL leaves out hosts that are refused here for being
// ambiguous; an empty host is an absent one, and hexadecimal addresses become
// lower-case.
func TestReferenceParseURL(t *testing.T) {
	check(t, "urllib3_parse_url", func(t *testing.T, in map[string]any) any {
		p, err := parseLoose(text(in, "url"))
		var e *Error
		if errors.As(err, &e) && e.Code == AmbiguousHost {
			t.Skip("urllib3 takes this host, which is refused here as ambiguous: see TestRule25Refused")
		}
		if err != nil {
			return "error"
		}
		return map[string]any{
			"scheme": orNil(p.scheme, p.scheme != ""), "auth": orNil(p.auth, p.auth != ""),
			"host": orNil(p.host, p.host != ""), "port": orNil(float64(p.port), p.port >= 0),
			"path": orNil(p.path, p.hasPath), "query": orNil(p.query, p.hasQuery),
			"fragment": orNil(p.fragment, p.hasFragment),
		}
	})
}

func orNil(v any, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

// parts keeps the parts of a recorded URL and leaves out what is computed from
// them.
func parts(m map[string]any) map[string]any {
	out := map[string]any{}
	for _, key := range []string{"scheme", "auth", "host", "port", "path", "query", "fragment"} {
		out[key] = m[key]
	}
	host, _ := m["host"].(string)
	if ascii.HasPrefixFold(host, "0x") {
		host = strings.ToLower(host)
	}
	out["host"] = orNil(host, host != "")
	return out
}

func TestReferenceEncodeTarget(t *testing.T) {
	check(t, "urllib3_encode_target", func(t *testing.T, in map[string]any) any {
		target, ok := EncodeTarget(text(in, "target"))
		if !ok {
			return "error"
		}
		return target
	})
}

func TestReferenceSameHost(t *testing.T) {
	check(t, "urllib3_is_same_host", func(t *testing.T, in map[string]any) any {
		a, errA := Parse(text(in, "base"))
		b, errB := Parse(text(in, "url"))
		if errA != nil || errB != nil || a.Port == 0 || !a.isWeb() || !b.isWeb() {
			t.Skip("an origin is that of an absolute URL whose port can be connected to, and urllib3 compares others too")
		}
		return SameOrigin(&a, &b)
	})
}
