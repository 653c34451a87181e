package parity

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"cookie_exchange":  cookieExchange,
	"cookie_header":    cookieHeader,
	"cookie_merge":     cookieMerge,
	"cookiejar_ops":    cookieJarOps,
	"create_cookie":    createCookie,
	"morsel_to_cookie": morselToCookie,
})

func init() {
	recordedForms["create_cookie"] = func(tree any) any { return eachObject(tree, publicCookie) }
	recordedForms["morsel_to_cookie"] = recordedForms["create_cookie"]
	recordedForms["cookie_exchange"] = recordedForms["create_cookie"]
}

// publicCookie keeps of a recorded cookie what a Cookie shows; http.cookiejar's book-keeping is left out.
func publicCookie(o map[string]any) {
	if _, ok := o["domain_specified"]; !ok {
		return
	}
	emptyValue(o)
	for _, key := range []string{"domain_specified", "domain_initial_dot", "path_specified", "discard", "version", "port", "port_specified", "rest"} {
		delete(o, key)
	}
	if o["secure"] != true {
		delete(o, "secure")
	}
	if o["expires"] == nil {
		delete(o, "expires")
	}
	if o["path"] == "" {
		o["path"] = "/"
	}
}

// recordedCookie reads a cookie given by create_cookie's arguments.
func recordedCookie(in input) (requests.Cookie, error) {
	c := requests.Cookie{
		Name: unlatin1(in.text("name")), Value: unlatin1(in.text("value")), Domain: in.text("domain"), Path: in.textOr("path", "/"), Secure: in.bool("secure"),
	}
	for key := range in.fields {
		switch key {
		case "name", "value", "domain", "path", "secure", "expires", "rest", "discard":
		default:
			return c, cannot("the cookie attribute %s", key)
		}
	}
	c.NoValue = in.has("value") && !in.present("value")
	if in.present("expires") {
		c.Expires = time.Unix(int64(in.int("expires")), 0)
	}
	return c, nil
}

// jarOf makes a jar by Python's rules.
func jarOf(cookies []input) (*requests.CookieJar, error) {
	jar := requests.NewCookieJar(requests.NetscapeRules())
	for _, in := range cookies {
		c, err := recordedCookie(in)
		if err != nil {
			return nil, err
		}
		if err := jar.Set(c); err != nil {
			return nil, err
		}
	}
	return jar, nil
}

func createCookie(_ *testing.T, in input) (any, error) {
	fields := in.object("kwargs").fields
	all := input{map[string]any{"name": in.fields["name"], "value": in.fields["value"]}}
	for k, v := range fields {
		all.fields[k] = v
	}
	jar, err := jarOf([]input{all})
	if err != nil {
		return nil, err
	}
	return showCookies(jar)[0], nil
}

func cookieHeader(t *testing.T, in input) (any, error) {
	jar, err := jarOf(in.objects("cookies"))
	if err != nil {
		return nil, err
	}
	if in.present("existing") {
		return nil, cannot("a Cookie header beside the jar's: the header of the request wins before the jar is asked")
	}
	var line string
	atTime(t, recordedNow, func() { line = jar.Header(in.text("url")) })
	return orNull(latin1(line), line != ""), nil
}

// cookieMerge does with a jar what requests.cookies' functions do.
func cookieMerge(_ *testing.T, in input) (any, error) {
	jar, err := jarOf(in.objects("jar"))
	if err != nil {
		return nil, err
	}
	other, err := otherJar(in)
	if err != nil {
		return nil, err
	}
	switch in.text("fn") {
	case "dict_from":
		return orderedMap(jar, "", ""), nil
	case "from_dict", "merge_jar":
		jar.Update(other)
	case "from_dict_no_overwrite", "merge_dict":
		for c := range other.All() {
			if !jar.Has(c.Name) {
				if err := jar.Set(c); err != nil {
					return nil, err
				}
			}
		}
	case "merge_none":
	default:
		return nil, cannot("merging into what is no jar")
	}
	return cookieRows(jar), nil
}

// otherJar is the jar merged in, given as a list of cookies or as an object of names and values.
func otherJar(in input) (*requests.CookieJar, error) {
	if in.list("other") != nil {
		return jarOf(in.objects("other"))
	}
	values, _ := in.stringMap("other")
	var cookies []input
	for _, name := range sortedKeys(values) {
		cookies = append(cookies, input{map[string]any{"name": name, "value": values[name]}})
	}
	return jarOf(cookies)
}

func morselToCookie(t *testing.T, in input) (any, error) {
	return nil, cannot("SimpleCookie's reading of Set-Cookie text: replies are read by the jar")
}

// cookieExchange lets replies set cookies in a session, and asks the jar what it would send.
func cookieExchange(t *testing.T, in input) (any, error) {
	s := newSession(t)
	s.TrustEnv = false
	request := in.object("request")
	for _, step := range append(in.objects("set"), request) {
		if step.present("host") {
			return nil, cannot("a Host header instead of the connection's host, which cookies do not follow (rule 35)")
		}
	}
	var out any
	var err error
	synctest.Test(t, func(t *testing.T) {
		for _, step := range in.objects("set") {
			if err = setCookies(s, step); err != nil {
				return
			}
		}
		sleepUntil(int64(request.intOr("now", recordedNow)))
		line := s.Cookies.Header(request.text("url"))
		out = map[string]any{"jar": showCookies(s.Cookies), "cookie": orNull(latin1(line), line != "")}
	})
	return out, err
}

func sleepUntil(unix int64) { time.Sleep(time.Until(time.Unix(unix, 0))) }

func setCookies(s *requests.Session, step input) error {
	now := int64(step.intOr("now", recordedNow))
	if time.Now().Unix() > now {
		return cannot("a clock that goes backwards")
	}
	sleepUntil(now)
	stub := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		var headers requests.Headers
		for _, c := range step.texts("set_cookie") {
			headers.Add("Set-Cookie", unlatin1(c))
		}
		return requests.NewResponse(p, 200, headers, nil), nil
	})
	s.Mount("http://", stub)
	s.Mount("https://", stub)
	p := &requests.PreparedRequest{Method: "GET", URL: step.text("url")}
	_, err := s.Send(context.Background(), p, requests.SendOptions{})
	return err
}

// cookieJarOps plays the operations of a RequestsCookieJar; results are listed, errors as "!Class".
func cookieJarOps(t *testing.T, in input) (any, error) {
	jar, err := jarOf(in.objects("init"))
	if err != nil {
		return nil, err
	}
	out := []any{}
	atTime(t, recordedNow, func() {
		for _, op := range in.list("ops") {
			var result any
			if result, err = jarOp(&jar, op.([]any)); err != nil {
				return
			}
			out = append(out, result)
		}
	})
	return out, err
}

func jarOp(jar **requests.CookieJar, op []any) (any, error) {
	args := jarArgs{op[1:]}
	f := jarOps[op[0].(string)]
	if f == nil {
		return nil, cannot("the jar operation %v", op[0])
	}
	result, err := f(jar, args)
	switch {
	case errors.Is(err, requests.ErrNoCookie):
		return "!KeyError", nil
	case errors.Is(err, requests.ErrCookieConflict):
		return "!CookieConflictError", nil
	}
	return result, err
}

// jarArgs are the arguments of an operation.
type jarArgs struct{ args []any }

func (a jarArgs) text(i int) string {
	if i >= len(a.args) {
		return ""
	}
	s, _ := a.args[i].(string)
	return s
}

// keywords is the object after the plain arguments.
func (a jarArgs) keywords() input {
	for _, v := range a.args {
		if o, ok := v.(map[string]any); ok {
			return input{o}
		}
	}
	return input{}
}

var jarOps = map[string]func(jar **requests.CookieJar, a jarArgs) (any, error){
	"len":    func(j **requests.CookieJar, _ jarArgs) (any, error) { return (*j).Len(), nil },
	"bool":   func(j **requests.CookieJar, _ jarArgs) (any, error) { return (*j).Len() > 0, nil },
	"in":     func(j **requests.CookieJar, a jarArgs) (any, error) { return (*j).Has(a.text(0)), nil },
	"list":   func(j **requests.CookieJar, _ jarArgs) (any, error) { return cookieRows(*j), nil },
	"keys":   func(j **requests.CookieJar, _ jarArgs) (any, error) { return column(*j, 0), nil },
	"values": func(j **requests.CookieJar, _ jarArgs) (any, error) { return column(*j, 1), nil },
	"items":  func(j **requests.CookieJar, _ jarArgs) (any, error) { return jarItems(*j), nil },
	"dict":   func(j **requests.CookieJar, _ jarArgs) (any, error) { return orderedMap(*j, "", ""), nil },
	"get_dict": func(j **requests.CookieJar, a jarArgs) (any, error) {
		kw := a.keywords()
		return orderedMap(*j, kw.text("domain"), kw.text("path")), nil
	},
	"list_domains": func(j **requests.CookieJar, _ jarArgs) (any, error) {
		return append([]string{}, (*j).Domains()...), nil
	},
	"multiple_domains": func(j **requests.CookieJar, _ jarArgs) (any, error) {
		return len((*j).Domains()) < (*j).Len(), nil // Requests finds a domain twice, rather than two domains
	},
	"list_paths":    func(j **requests.CookieJar, _ jarArgs) (any, error) { return append([]string{}, (*j).Paths()...), nil },
	"get":           jarGet,
	"find":          jarFind,
	"getitem":       func(j **requests.CookieJar, a jarArgs) (any, error) { return (*j).Get(a.text(0)) },
	"pop":           jarPop,
	"set":           jarSet,
	"setitem":       jarSet,
	"del":           jarRemove,
	"remove":        jarRemove,
	"clear":         jarClear,
	"clear_expired": func(j **requests.CookieJar, _ jarArgs) (any, error) { (*j).ClearExpired(); return nil, nil },
	"copy":          func(j **requests.CookieJar, _ jarArgs) (any, error) { *j = (*j).Clone(); return cookieRows(*j), nil },
	"update_dict":   jarUpdate,
	"update_jar":    jarUpdate,
}

func column(jar *requests.CookieJar, n int) []any {
	out := []any{}
	for _, row := range cookieRows(jar) {
		out = append(out, row.([]any)[n])
	}
	return out
}

func jarItems(jar *requests.CookieJar) []any {
	out := []any{}
	for _, row := range cookieRows(jar) {
		out = append(out, row.([]any)[:2])
	}
	return out
}

func jarGet(j **requests.CookieJar, a jarArgs) (any, error) {
	kw := a.keywords()
	c, err := (*j).Find(a.text(0), kw.text("domain"), kw.text("path"))
	if errors.Is(err, requests.ErrNoCookie) {
		return kw.fields["default"], nil
	}
	return c.Value, err
}

func jarFind(j **requests.CookieJar, a jarArgs) (any, error) {
	kw := a.keywords()
	c, err := (*j).Find(a.text(0), kw.text("domain"), kw.text("path"))
	return c.Value, err
}

func jarPop(j **requests.CookieJar, a jarArgs) (any, error) {
	v, err := (*j).Get(a.text(0))
	if err == nil {
		(*j).Delete(a.text(0), "", "")
	}
	return v, err
}

func jarSet(j **requests.CookieJar, a jarArgs) (any, error) {
	if len(a.args) > 1 && a.args[1] == nil {
		return jarRemove(j, a)
	}
	all := input{map[string]any{"name": a.text(0), "value": a.text(1)}}
	for k, v := range a.keywords().fields {
		all.fields[k] = v
	}
	c, err := recordedCookie(all)
	if err != nil {
		return nil, err
	}
	return nil, (*j).Set(c)
}

func jarRemove(j **requests.CookieJar, a jarArgs) (any, error) {
	kw := a.keywords()
	(*j).Delete(a.text(0), kw.text("domain"), kw.text("path"))
	return nil, nil
}

// jarClear removes what an http.cookiejar clear removes: by domain, path and name, each of which must be there.
func jarClear(j **requests.CookieJar, a jarArgs) (any, error) {
	kw := a.keywords()
	if len(kw.fields) == 0 && len(a.args) == 0 {
		(*j).Clear()
		return nil, nil
	}
	if (*j).Delete(kw.text("name"), kw.text("domain"), kw.text("path")) == 0 {
		return nil, requests.ErrNoCookie
	}
	return nil, nil
}

func jarUpdate(j **requests.CookieJar, a jarArgs) (any, error) {
	other, err := otherJar(input{map[string]any{"other": a.args[0]}})
	if err != nil {
		return nil, err
	}
	(*j).Update(other)
	return nil, nil
}
