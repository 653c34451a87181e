package parity

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{"hooks": hookOps})

// hookOps registers hooks on a session and has replies go through them. What Python's hooks append to a list, these
// append to a header field of the reply.
func hookOps(t *testing.T, in input) (any, error) {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	out := []any{}
	for _, v := range in.list("ops") {
		op := jarArgs{v.([]any)}
		if op.text(1) != "response" {
			return nil, cannot("the event %q: replies are the only one there is", op.text(1))
		}
		var result any
		var err error
		switch op.text(0) {
		case "register":
			result, err = registerHooks(s, op.args[2])
		case "dispatch":
			result, err = dispatchHooks(t, s)
		default:
			err = cannot("the operation %s: functions do not compare", op.text(0))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

func registerHooks(s *requests.Session, names any) (any, error) {
	list, several := names.([]any)
	if !several {
		list = []any{names}
	}
	for _, name := range list {
		switch number, adds := strings.CutPrefix(name.(string), "add"); {
		case adds:
			s.Hooks = append(s.Hooks, addingHook(number))
		case name == "none":
			s.Hooks = append(s.Hooks, func(context.Context, *requests.Response) (*requests.Response, error) { return nil, nil })
		default:
			return nil, cannot("a hook that is no function")
		}
	}
	return len(s.Hooks), nil
}

// addingHook gives a new reply that has one value more.
func addingHook(number string) requests.Hook {
	return func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		next := requests.NewResponse(r.Request, 200, r.Headers.Clone(), nil)
		next.Headers.Add("X-Added", number)
		return next, nil
	}
}

func dispatchHooks(t *testing.T, s *requests.Session) (any, error) {
	r, err := s.Get(t.Context(), "http://h.test/")
	if err != nil {
		return nil, err
	}
	added := []int{}
	for _, value := range r.Headers.Values("X-Added") {
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, err
		}
		added = append(added, n)
	}
	return added, nil
}
