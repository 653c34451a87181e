package cache

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

func (p *player) checkResponse(i int, r *requests.Response) error {
	config := &p.test.Requests[i]
	count, err := strconv.Atoi(r.Headers.Get("Server-Request-Count"))
	if numbers := strings.Fields(r.Headers.Get("Request-Numbers")); len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
		return errors.New("sent again")
	}
	switch {
	case config.WantType == "cached" && (r.StatusCode != 304 || err == nil) && count >= i+1:
		return fmt.Errorf("response %d does not come from the cache", i+1)
	case config.WantType == "not_cached" && count != i+1:
		return fmt.Errorf("response %d comes from the cache", i+1)
	}
	want := 200
	switch {
	case config.has("expected_status"):
		if want = r.StatusCode; config.WantStatus != nil {
			want = *config.WantStatus
		}
	case len(config.ResponseStatus) > 0:
		want = int(config.ResponseStatus[0].(float64))
	}
	if r.StatusCode != want {
		return fmt.Errorf("response %d has the status %d, not %d", i+1, r.StatusCode, want)
	}
	return checkFields(config, r.Headers)
}

func checkFields(config *suiteRequest, h requests.Headers) error {
	for _, item := range config.WantHeaders {
		name, isName := item.(string)
		if isName {
			if !h.Has(name) {
				return fmt.Errorf("%s is not there", name)
			}
			continue
		}
		field := slices.Clone(item.([]any))
		got := joinedValues(h, field[0].(string))
		switch {
		case len(field) == 2:
			if fixup(field, h, config); got != fmt.Sprint(field[1]) {
				return fmt.Errorf("%s is %q, not %q", field[0], got, field[1])
			}
		case field[1] == "=":
			if want := joinedValues(h, field[2].(string)); got != want || got == "" {
				return fmt.Errorf("%s is %q, not %q", field[0], got, want)
			}
		case field[1] == ">":
			if n, err := strconv.ParseFloat(got, 64); err != nil || n <= field[2].(float64) {
				return fmt.Errorf("%s is %q, not above %v", field[0], got, field[2])
			}
		}
	}
	for _, item := range config.WantMissing {
		if name, isName := item.(string); isName && h.Has(name) {
			return fmt.Errorf("%s is there", name)
		}
	}
	return nil
}

func checkInterim(config *suiteRequest, got [][]any) error {
	if !config.has("expected_interim_responses") {
		return nil
	}
	if len(got) != len(config.WantInterim) {
		return fmt.Errorf("%d interim responses, not %d", len(got), len(config.WantInterim))
	}
	for i, want := range config.WantInterim {
		if got[i][0] != want[0] {
			return fmt.Errorf("interim response %v, not %v", got[i][0], want[0])
		}
	}
	return nil
}

func checkText(config *suiteRequest, r *requests.Response, got string) error {
	want := suiteBody
	switch {
	case config.CheckBody != nil && !*config.CheckBody:
		return nil
	case config.has("expected_response_text"):
		if config.WantText == nil {
			return nil
		}
		want = *config.WantText
	case config.ResponseBody != nil:
		want = *config.ResponseBody
	case r.StatusCode == 204 || r.StatusCode == 304 || config.Method == "HEAD":
		return nil
	}
	if got != want {
		return fmt.Errorf("the body is %q, not %q", got, want)
	}
	return nil
}

// checkServer compares what the server saw with what it should have seen.
func (p *player) checkServer() error {
	next := 0
	for i := range p.test.Requests {
		config := &p.test.Requests[i]
		if config.WantType == "cached" {
			continue
		}
		if next >= len(p.seen) {
			if config.WantType != "" {
				return fmt.Errorf("request %d was not sent", i+1)
			}
			continue
		}
		s := p.seen[next]
		next++
		if config.WantType == "not_cached" && s.number != i+1 {
			return fmt.Errorf("response %d comes from the cache", i+1)
		}
		if err := checkSent(config, s); err != nil {
			return fmt.Errorf("request %d: %w", i+1, err)
		}
		for _, f := range s.sent {
			if got := joinedValues(p.responses[i].Headers, f[0]); !strings.EqualFold(f[0], "Date") && got != f[1] {
				return fmt.Errorf("response %d: %s is %q, not %q", i+1, f[0], got, f[1])
			}
		}
	}
	return nil
}

func checkSent(config *suiteRequest, s served) error {
	if name := map[string]string{"etag_validated": "If-None-Match", "lm_validated": "If-Modified-Since"}[config.WantType]; name != "" && !s.headers.Has(name) {
		return fmt.Errorf("no %s", name)
	}
	if config.WantMethod != "" && s.method != config.WantMethod {
		return fmt.Errorf("the method is %s, not %s", s.method, config.WantMethod)
	}
	for _, item := range config.WantSent {
		if name, isName := item.(string); isName && !s.headers.Has(name) {
			return fmt.Errorf("no %s", name)
		} else if field, _ := item.([]any); !isName && s.headers.Get(field[0].(string)) != field[1] {
			return fmt.Errorf("%s is %q, not %q", field[0], s.headers.Get(field[0].(string)), field[1])
		}
	}
	for _, item := range config.WantUnsent {
		if name, isName := item.(string); isName && s.headers.Has(name) {
			return fmt.Errorf("%s was sent", name)
		} else if field, _ := item.([]any); !isName && s.headers.Get(field[0].(string)) == field[1] {
			return fmt.Errorf("%s is %q", field[0], field[1])
		}
	}
	return nil
}
