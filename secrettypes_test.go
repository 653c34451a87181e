package requests_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// secretTypes has a value of every exported type that may hold a secret, with one inside.
func secretTypes(t *testing.T) map[string]any {
	server := wiretest.Origin(t, wiretest.Text(200, "ok", [2]string{"Set-Cookie", "sid=" + secret}))
	s := secretSession()
	t.Cleanup(func() { s.Close() })
	r := streamed(t, s, server.URL("/?token="+secret))
	file := must(toolbelt.FileFromURL(t.Context(), s, server.URL("/?token="+secret)))
	t.Cleanup(func() { file.Close() })
	request := secretRequest()
	p := must(s.Prepare(request))
	config := must(requests.NewHTTPAdapter().Plan(p, requests.SendOptions{Proxies: request.Send.Proxies}))
	try := requests.Attempt{Method: "GET", URL: request.URL, Err: errors.New("no")}
	failure := &requests.Error{Kind: requests.ErrSSL, Request: p, Response: r, Err: io.EOF, Op: "connect"}
	adapter := must(s.Adapter("http://"))
	har := &toolbelt.HAR{}
	_, _ = har.Wrap(requests.AdapterFunc(nil)).Send(t.Context(), p, requests.SendOptions{})
	return map[string]any{
		"requests.AuthExchange": r.Auth(), "requests.Request": *request, "requests.PreparedRequest": *p, "requests.Response": *r, "requests.Session": s,
		"requests.SendOptions": must(s.MergeEnvironment(p.URL, request.Send)), "requests.Secret": requests.Secret(secret),
		"requests.Headers": p.Headers, "requests.Params": request.Params, "requests.Form": request.Form, "requests.Cookies": request.Cookies,
		"requests.Proxies": request.Send.Proxies, "requests.ProxyDecision": must(s.ExplainProxy("https://ada:" + secret + "@h.test/")),
		"requests.ConnConfig": config, "requests.ProxyConfig": config.Proxy, "requests.TLSConfig": requests.TLSConfig{Cert: s.Cert}, "requests.Certificate": s.Cert,
		"requests.ProxyFields": must(requests.NewProxyFields(requests.Headers{{"X-Proxy-Token", secret}})),
		"requests.CookieJar":   s.Cookies, "requests.Cookie": requests.Cookie{Name: "sid", Value: secret},
		"requests.Attempt": try, "requests.RetryState": requests.RetryState{History: []requests.Attempt{try}},
		"requests.MaxRetryError": &requests.MaxRetryError{Reason: failure, History: []requests.Attempt{try}}, "requests.Error": failure, "requests.Problem": requests.Problem{Type: "about:blank", Detail: "token=" + secret, Extensions: map[string]json.RawMessage{"password": json.RawMessage(`"` + secret + `"`)}},
		"requests.Basic": *requests.BasicAuth("ada", secret), "requests.ProxyBasic": *requests.ProxyBasicAuth("ada", secret),
		"requests.Bearer": *requests.BearerAuth(secret), "requests.Digest": requests.DigestAuth("ada", secret),
		"requests.Refresh": refreshed(t, secret), "requests.Challenge": requests.Challenge{Scheme: "Negotiate", Token: secret},
		"requests.HTTPAdapter": adapter, "requests.PoolStats": adapter.(*requests.HTTPAdapter).Stats(), "requests.PoolKeyStats": adapter.(*requests.HTTPAdapter).Stats().Keys[0],
		"requests.File": requests.File{Field: "password", Content: strings.NewReader(secret)}, "requests.Files": requests.Files{{Field: "f", Content: strings.NewReader(secret)}},

		"adapters.Mock": secretMock(t, p), "adapters.Expectation": secretMock(t, p).On("GET", "https://ada:"+secret+"@h.test/", adapters.Match{Headers: requests.Headers{{"Authorization", secret}}}),
		"adapters.Match": adapters.Match{Query: requests.Params{{"token", secret}}, Headers: requests.Headers{{"Authorization", secret}}, Form: requests.Form{{"password", secret}}, Body: []byte(secret), JSON: secret}, "adapters.Sent": secretMock(t, p).Sent()[0],
		"adapters.Reply": adapters.Reply{Headers: requests.Headers{{"Set-Cookie", "a=" + secret}}},

		"toolbelt.Guess": toolbelt.GuessAuth("ada", secret), "toolbelt.GuessProxy": toolbelt.GuessProxyAuth("ada", secret, "ada", secret),
		"toolbelt.ProxyDigest":    toolbelt.HTTPProxyDigestAuth("ada", secret),
		"toolbelt.Strategy":       toolbelt.Strategy{Domain: "https://h.test", Auth: requests.BearerAuth(secret)},
		"toolbelt.BaseURLSession": toolbelt.NewBaseURLSession("https://ada:" + secret + "@h.test/"),
		"toolbelt.AuthHandler":    toolbelt.NewAuthHandler(toolbelt.Strategy{Domain: "https://ada:" + secret + "@h.test", Auth: requests.BearerAuth(secret)}),
		"toolbelt.PoolResult":     toolbelt.PoolResult{Job: request, Response: r, Err: failure},
		"toolbelt.Field":          toolbelt.Field{Name: "password", Value: secret}, "toolbelt.Fields": toolbelt.Fields{{Name: "password", Value: []byte(secret)}},
		"toolbelt.FormData":          toolbelt.FormData{{"user", toolbelt.FormData{{"password", secret}}}},
		"toolbelt.BodyPart":          toolbelt.BodyPart{Headers: p.Headers, Content: []byte(secret)},
		"toolbelt.MultipartDecoder":  toolbelt.MultipartDecoder{Parts: []*toolbelt.BodyPart{{Headers: p.Headers, Content: []byte(secret)}}},
		"toolbelt.MultipartEncoder":  must(toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "password", Value: secret}})),
		"toolbelt.Monitor":           toolbelt.NewMonitor(must(toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "password", Value: secret}})), nil),
		"toolbelt.StreamedPart":      toolbelt.StreamedPart{Reader: strings.NewReader("x"), Headers: p.Headers},
		"toolbelt.StreamingIterator": must(toolbelt.NewStreamingIterator(1, strings.NewReader(secret))),
		"toolbelt.URLFile":           file,
		"toolbelt.HAR":               har,
		"toolbelt.Pool":              must(toolbelt.NewPool(slices.Values([]*requests.Request{request}), toolbelt.SharedSession(s), toolbelt.EachRequest(requests.Authenticate(requests.BearerAuth(secret))))),
	}
}

// withoutSecrets are the exported types that hold none, and why.
var withoutSecrets = map[string]string{
	"requests.Kind": "a number", "requests.RetryCount": "a number", "requests.HTTP2Mode": "a number", "requests.Toggle": "a number",
	"requests.ProxySource": "a number", "requests.CookieFileOption": "a number", "requests.CurlOption": "a number", "requests.Policy": "switches", "requests.Timeouts": "durations", "requests.Limits": "sizes",
	"requests.Retry": "counts and durations", "requests.ResponseError": "a status", "requests.HSTS": "names of hosts", "requests.Timing": "durations and addresses",
	"requests.Link":  "what a server says in the open, as text is",
	"requests.Codec": "functions", "requests.Codecs": "functions",
	"requests.Path":             "parts of a URL's path, which is shown as it is",
	"requests.Event":            "a part of a body, which is the caller's",
	"requests.Verification":     "authorities, which are public",
	"requests.SocketOptionList": "numbers", "requests.SocketOption": "a number", "requests.DialFunc": "a function",
	"adapters.CassetteMode": "a number", "adapters.DNSCache": "addresses", "adapters.CassetteOption": "a number", "toolbelt.Feature": "words", "toolbelt.SessionFileOption": "a number", "toolbelt.Path": "a path",
	"toolbelt.UserAgentBuilder": "what every server is told",
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func streamed(t *testing.T, s *requests.Session, url string) *requests.Response {
	r, err := s.Get(context.Background(), url, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func secretMock(t *testing.T, p *requests.PreparedRequest) *adapters.Mock {
	m := adapters.NewMock()
	m.On("", "").Reply(adapters.Reply{})
	_, _ = m.Send(context.Background(), p, requests.SendOptions{})
	return m
}

// TestSecretTypes shows a value of every exported type by every way there is: with each verb and flag of package fmt, by
// the handlers of log/slog, as JSON and in templates; as a value and as a pointer, alone, in a struct, a list and a map.
func TestSecretTypes(t *testing.T) {
	values := secretTypes(t)
	for _, dir := range []string{".", "adapters", "toolbelt"} {
		for _, name := range exportedTypes(t, dir) {
			if _, harmless := withoutSecrets[name]; values[name] == nil && !harmless {
				t.Errorf("nobody knows whether %s shows secrets: give it a row", name)
			}
		}
	}
	for name, v := range values {
		shown := map[string]string{}
		for what, form := range wrapped(v) {
			for way, text := range ways(form, name == "requests.CookieJar") {
				if holdsSecret(text) {
					shown[what+" with "+way] = text
				}
			}
		}
		if len(shown) > 0 {
			way := slices.Sorted(maps.Keys(shown))[0]
			t.Errorf("%s is shown in %d ways, such as %s: %s", name, len(shown), way, shown[way])
		}
	}
}

// exportedTypes lists the types of a package, but for interfaces and functions, which have nothing to show.
func exportedTypes(t *testing.T, dir string) []string {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range pkg.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				s := spec.(*ast.TypeSpec)
				_, isFunc := s.Type.(*ast.FuncType)
				_, isInterface := s.Type.(*ast.InterfaceType)
				if s.Name.IsExported() && !isFunc && !isInterface && !(s.Assign.IsValid() && s.Name.Name == "Resolver") {
					names = append(names, pkg.Name+"."+s.Name.Name)
				}
			}
		}
	}
	return names
}

// wrapped returns v and its pointer or what it points to, and each of them in a struct, a list and a map.
func wrapped(v any) map[string]any {
	forms := map[string]any{"it": v}
	switch rv := reflect.ValueOf(v); {
	case rv.Kind() != reflect.Pointer:
		p := reflect.New(rv.Type())
		p.Elem().Set(rv)
		forms["its pointer"] = p.Interface()
	case !hasLock(rv.Type().Elem()): // a copy of it would be refused by go vet
		forms["what it points to"] = rv.Elem().Interface()
	}
	for what, form := range maps.Clone(forms) {
		forms[what+" in a struct"] = struct{ V any }{form}
		forms[what+" in a list"] = []any{form}
		forms[what+" in a map"] = map[string]any{"v": form}
		typed := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: reflect.TypeOf(form)}})).Elem()
		typed.Field(0).Set(reflect.ValueOf(form))
		forms[what+" in a typed struct"] = typed.Interface()
		forms[what+" in a typed list"] = reflect.Append(reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(form)), 0, 1), reflect.ValueOf(form)).Interface()
	}
	return forms
}

// hasLock reports whether values of the type must not be copied.
func hasLock(t reflect.Type) bool {
	if _, ok := reflect.PointerTo(t).MethodByName("Lock"); ok {
		return true
	}
	for i := range t.NumField() {
		if f := t.Field(i).Type; f.Kind() == reflect.Struct && hasLock(f) {
			return true
		}
	}
	return false
}

// ways shows v in every way. A jar's JSON is its file format and has to hold all.
func ways(v any, isJar bool) map[string]string {
	shown := map[string]string{}
	for _, verb := range "vTtbcdoOqxXUeEfFgGs" {
		for _, flags := range []string{"", "+", "#", "+#", " ", "40."} {
			format := "%" + flags + string(verb)
			shown[format] = fmt.Sprintf(format, v)
		}
	}
	var text, lines bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	shown["slog's text"], shown["slog's JSON"] = text.String(), lines.String()
	data, _ := json.Marshal(v)
	shown["JSON"] = string(data)
	for _, action := range []string{"{{.}}", "{{print .}}", "{{html .}}"} {
		var page strings.Builder
		_ = template.Must(template.New("").Parse(action)).Execute(&page, v)
		shown["a template with "+action] = page.String()
	}
	if isJar {
		delete(shown, "JSON")
		delete(shown, "slog's JSON")
	}
	return shown
}

// holdsSecret finds the secret as it is, as the numbers that some verbs make of its bytes, and in what Base64 makes of it
// alone, of "ada:" and the secret, and of ":" and the secret.
func holdsSecret(text string) bool {
	for _, form := range secretForms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

var secretForms = func() []string {
	forms := []string{secret, "OmxhbjpodW50ZXIy", "YWRhOmh1bnRlcjI"}
	for _, verb := range []string{"%x", "%X", "% x", "%#x", "% #x"} {
		forms = append(forms, fmt.Sprintf(verb, secret))
	}
	for _, verb := range []string{"%d", "%o", "%O", "%b", "%c", "%q", "%U", "%#x", "%x", "%X", "%#v"} {
		forms = append(forms, strings.Trim(fmt.Sprintf(verb, []byte(secret)), "[]"), strings.Trim(fmt.Sprintf(verb, []rune(secret)), "[]"))
	}
	coded := base64.StdEncoding.EncodeToString([]byte(secret))
	return append(forms, strings.TrimRight(coded, "="))
}()

// TestSecretMethods: a type that may hold a secret has all three methods.
func TestSecretMethods(t *testing.T) {
	// These hold what has the methods, and nothing else.
	made := []string{"requests.PoolStats", "requests.PoolKeyStats", "requests.Files", "toolbelt.Strategy", "toolbelt.PoolResult",
		"toolbelt.MultipartDecoder", "toolbelt.StreamingIterator"}
	for name, v := range secretTypes(t) {
		_, formats := v.(fmt.Formatter)
		_, logs := v.(slog.LogValuer)
		_, marshals := v.(json.Marshaler)
		if all := formats && logs && marshals; all == slices.Contains(made, name) {
			t.Errorf("%s: Format %v, LogValue %v, MarshalJSON %v", name, formats, logs, marshals)
		}
	}
}

// TestSecret: what is shown of a Secret, and how it is read.
func TestSecret(t *testing.T) {
	var config struct{ Password, Empty requests.Secret }
	if err := json.Unmarshal([]byte(`{"Password": "`+secret+`"}`), &config); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(config)
	got := []string{string(config.Password), fmt.Sprint(config), fmt.Sprintf("%+v %q %x", config, config, config), string(data), fmt.Sprint(err)}
	want := []string{secret, "{*** }", `{Password:*** Empty:} {"***" ""} {2a2a2a }`, `{"Password":"***","Empty":""}`, "<nil>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
