package parity

import (
	"testing"

	"github.com/mountable/requests"
)

// mergeSetting is looked at where Go merges mappings: params (case-sensitive) and headers (not). Both show what
// Requests' merge_setting does to a mapping; other values have a type of their own for every setting.
func mergeSetting(t *testing.T, in input) (any, error) {
	request, session := in.typed(t, "request"), in.typed(t, "session")
	over, null, err := settingPairs(request)
	if err != nil {
		return nil, err
	}
	base, baseNull, err := settingPairs(session)
	if err != nil {
		return nil, err
	}
	if len(baseNull) > 0 {
		return nil, cannot("a session setting whose value is null")
	}
	if request == nil || session == nil {
		return nil, cannot("a setting that is not given at one side, passed through with its type")
	}
	if in.bool("ci") {
		return mergedHeaders(base, over, null)
	}
	return mergedParams(base, over, null)
}

// settingPairs reads a mapping of text to text.
func settingPairs(v any) (pairs [][2]string, null []string, err error) {
	entries, ok := v.(dict)
	if !ok {
		return nil, nil, cannot("a setting of type %T", v)
	}
	for _, kv := range entries {
		if _, ok := sequence(kv[1]); ok {
			return nil, nil, cannot("a setting whose value is a list")
		}
	}
	return typedPairs(v)
}

func mergedHeaders(base, over [][2]string, null []string) (any, error) {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv, s.Headers = false, base
	r := &requests.Request{URL: "http://h.test/", Headers: over, WithoutHeaders: null}
	p, err := s.Prepare(r)
	if err != nil {
		return nil, err
	}
	return pairsTree(p.Headers), nil
}

func mergedParams(base, over [][2]string, null []string) (any, error) {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv, s.Params = false, base
	r := &requests.Request{URL: "http://h.test/", Params: over, WithoutParams: null}
	p, err := s.Prepare(r)
	if err != nil {
		return nil, err
	}
	return queryPairs(p.URL)
}
