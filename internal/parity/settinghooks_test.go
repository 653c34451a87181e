package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mountable/requests"
)

func (r *runner) hookOption(specs []json.RawMessage) (requests.Option, error) {
	hooks, err := r.hooks(specs)
	return requests.ReplaceHooks(hooks...), err
}

func (r *runner) hooks(specs []json.RawMessage) ([]requests.Hook, error) {
	var hooks []requests.Hook
	for _, raw := range specs {
		var spec []any
		if err := json.Unmarshal(raw, &spec); err != nil || len(spec) == 0 {
			return nil, fmt.Errorf("hook %s", raw)
		}
		hooks = append(hooks, r.hook(spec))
	}
	return hooks, nil
}

func (r *runner) hook(spec []any) requests.Hook {
	return func(_ context.Context, resp *requests.Response) (*requests.Response, error) {
		switch spec[0] {
		case "log":
			r.note(spec[1].(string), resp)
		case "replace":
			return replacement(resp, int(spec[1].(float64)), spec[2].(string)), nil
		case "raise_for_status":
			return nil, resp.RaiseForStatus()
		case "set_header":
			resp.Headers.Set(spec[1].(string), spec[2].(string))
		}
		return nil, nil
	}
}

// replacement is a response that no server sent.
func replacement(old *requests.Response, status int, body string) *requests.Response {
	fresh := requests.NewResponse(nil, status, nil, inMemory{strings.NewReader(body)})
	fresh.URL, fresh.Request = old.URL, old.Request
	fresh.Reason, fresh.Encoding = "Replaced", "utf-8"
	return fresh
}

// note adds a line to the log of the hooks.
func (r *runner) note(hook string, resp *requests.Response) {
	r.log = append(r.log, map[string]any{"hook": hook, "status": resp.StatusCode, "url": resp.URL})
}
