package parity

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"prepare_body":          prepareBody,
	"session_prepare":       sessionPrepare,
	"requests_encode_files": encodeFiles,
	"check_header_validity": headerValidity,
	"merge_setting":         mergeSetting,
	"basic_auth_str":        basicAuthText,
})

// requestOf builds a Request from the inputs that several kinds share.
func requestOf(t *testing.T, in input, method, url string) (*requests.Request, error) {
	t.Helper()
	r := &requests.Request{Method: method, URL: url}
	steps := []func(*testing.T, input, *requests.Request) error{giveHeaders, giveParams, giveData, giveJSON, giveFiles, giveCookies, giveAuth}
	for _, step := range steps {
		if err := step(t, in, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func giveHeaders(_ *testing.T, in input, r *requests.Request) error {
	pairs, null, err := in.headerPairs("headers")
	if err != nil {
		return err
	}
	for _, p := range pairs {
		r.Headers.Set(p[0], p[1])
	}
	r.WithoutHeaders = null
	return nil
}

func giveParams(t *testing.T, in input, r *requests.Request) error {
	params := in.typed(t, "params")
	switch params := params.(type) {
	case nil:
		return nil
	case string:
		r.Query = params
		return nil
	case list, tuple:
		r.ReplaceParams = true
	}
	pairs, null, err := typedPairs(params)
	r.Params, r.WithoutParams = pairs, null
	r.ReplaceParams = r.ReplaceParams && len(pairs) > 0
	return err
}

// giveData gives data= as what it is in Go: a form, text, bytes, a reader or an iterator.
func giveData(t *testing.T, in input, r *requests.Request) error {
	if chunks := in.list("data_iter"); chunks != nil {
		items, err := typedItems(chunks)
		r.Body = iterator(items)
		return err
	}
	return dataInto(t, in.typed(t, "data"), r)
}

func dataInto(t *testing.T, data any, r *requests.Request) error {
	switch data := data.(type) {
	case nil:
	case string, []byte:
		r.Body = data
	case *fileValue:
		f, err := data.open(t)
		r.Body = f
		return err
	case *textFileValue:
		r.Body = data.open()
	case iterValue:
		r.Body = iterator(data)
	case dict, list, tuple:
		return formInto(data, r)
	default:
		return cannot("data of type %T", data)
	}
	return nil
}

func formInto(data any, r *requests.Request) error {
	pairs, null, err := typedPairs(data)
	entries, _ := typedEntries(data)
	if len(pairs) == 0 && (len(null) > 0 || len(entries) > 0) {
		return cannot("a form whose values are all null or empty")
	}
	r.Form = pairs
	return err
}

// iterator can be used once; text items are UTF-8.
func iterator(items []any) iter.Seq[[]byte] {
	var chunks []wireText
	for _, item := range items {
		switch item := item.(type) {
		case string:
			chunks = append(chunks, wireText(item))
		case []byte:
			chunks = append(chunks, item)
		}
	}
	return once(chunks)
}

// open makes a reader that can seek, or a file on disk where the object has a name.
func (f *fileValue) open(t *testing.T) (io.Reader, error) {
	var in io.ReadSeeker = bytes.NewReader(f.content)
	if f.name != nil {
		name, ok := f.name.(string)
		if !ok {
			return nil, cannot("a file whose name is %v", f.name)
		}
		file, err := namedFile(t, name, f.content)
		if err != nil {
			return nil, err
		}
		in = file
	}
	_, err := in.Seek(int64(f.pos), io.SeekStart)
	return in, err
}

// namedFile opens a file that has the name, whatever its path is.
func namedFile(t *testing.T, name string, content []byte) (*os.File, error) {
	if name == "" || strings.HasSuffix(name, "/") {
		return nil, cannot("an opened file without a base name")
	}
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return nil, err
	}
	plain, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	fd, err := syscall.Dup(int(plain.Fd()))
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { file.Close() })
	return file, nil
}

// open gives text as the UTF-8 that is sent; a position counts characters.
func (f *textFileValue) open() io.Reader {
	all := []rune(f.content)
	return strings.NewReader(string(all[min(f.pos, len(all)):]))
}

func giveJSON(t *testing.T, in input, r *requests.Request) error {
	if !in.present("json_value") {
		return nil
	}
	v, err := jsonValue(in.typed(t, "json_value"))
	r.JSON = v
	return err
}

// jsonValue turns a typed value into what encoding/json writes in the same order.
func jsonValue(v any) (any, error) {
	switch v := v.(type) {
	case list:
		return jsonItems(v)
	case tuple:
		return jsonItems(v)
	case dict:
		object := orderedObject{}
		for _, kv := range v {
			key, err := pythonText(kv[0])
			if err != nil {
				return nil, err
			}
			value, err := jsonValue(kv[1])
			if err != nil {
				return nil, err
			}
			object = append(object, member{key, value})
		}
		return object, nil
	case []byte:
		return nil, cannot("bytes as JSON: Python refuses them, Go writes base64")
	case nil, string, bool, int64, float64:
		return v, nil
	}
	if n, ok := new(big.Int).SetString(fmt.Sprint(v), 10); ok {
		return n, nil
	}
	return nil, cannot("%T as JSON", v)
}

func jsonItems(items []any) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		v, err := jsonValue(item)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func giveCookies(_ *testing.T, in input, r *requests.Request) error {
	pairs, err := notNull(in.pairs("cookies"))
	r.Cookies = pairs
	return err
}

func giveAuth(_ *testing.T, in input, r *requests.Request) error {
	if pair := in.texts("auth"); len(pair) == 2 {
		r.Auth = requests.BasicAuth(pair[0], pair[1])
	}
	return nil
}

func prepareBody(t *testing.T, in input) (any, error) {
	r, err := requestOf(t, in, in.textOr("method", "POST"), in.textOr("url", "http://h.test/"))
	if err != nil {
		return nil, err
	}
	p, err := bareSession().Prepare(r)
	if err != nil {
		return nil, err
	}
	shown := showPrepared(p).(map[string]any)
	return map[string]any{"body": shown["body"], "headers": shown["headers"]}, nil
}

func sessionPrepare(t *testing.T, in input) (any, error) {
	r, err := requestOf(t, in, in.textOr("method", "GET"), in.textOr("url", "http://h.test/"))
	if err != nil {
		return nil, err
	}
	s, err := sessionOf(t, in)
	if err != nil {
		return nil, err
	}
	p, err := s.Prepare(r)
	if err != nil {
		return nil, err
	}
	return showPrepared(p), nil
}

// sessionOf makes a session from the session_ inputs; the environment is not looked at.
func sessionOf(t *testing.T, in input) (*requests.Session, error) {
	t.Helper()
	s := newSession(t)
	s.TrustEnv = false
	if in.bool("clear_headers") {
		s.Headers = nil
	}
	pairs, null, err := in.headerPairs("session_headers")
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		s.Headers.Set(p[0], p[1])
	}
	for _, name := range null {
		s.Headers.Del(name)
	}
	params, _, err := typedPairs(in.typed(t, "session_params"))
	if err != nil {
		return nil, err
	}
	s.Params = params
	if pair := in.texts("session_auth"); len(pair) == 2 {
		s.Auth = requests.BasicAuth(pair[0], pair[1])
	}
	cookies, err := notNull(in.pairs("session_cookies"))
	if err != nil {
		return nil, err
	}
	for _, c := range cookies {
		if err := s.Cookies.Set(requests.Cookie{Name: c[0], Value: c[1], Path: "/"}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newSession is a session in Requests' way.
func newSession(t *testing.T) *requests.Session {
	s := requests.NewSession()
	s.Policy = requests.PolicyRequests()
	t.Cleanup(func() { s.Close() })
	return s
}

// bareSession adds nothing to a request but Requests' way.
func bareSession() *requests.Session { return &requests.Session{Policy: requests.PolicyRequests()} }

// headerValidity prepares a request with the header; the library has no other door to the check.
func headerValidity(_ *testing.T, in input) (any, error) {
	name, nameText, nameOK := in.textOrBytes("name")
	value, valueText, valueOK := in.textOrBytes("value")
	if !nameOK || !valueOK {
		return nil, cannot("a header of %v and %v", in.fields["name"], in.fields["value"])
	}
	if nameText && !isLatin1(string(name)) || valueText && !isLatin1(string(value)) {
		return nil, cannot("header text beyond Latin-1, which no header can hold")
	}
	h := [2]string{latin1Bytes(name, nameText), latin1Bytes(value, valueText)}
	_, err := (&requests.Request{URL: "http://h.test/", Headers: requests.Headers{h}}).Prepare()
	return "ok", err
}

// latin1Bytes is text as its Latin-1 bytes, bytes as they are.
func latin1Bytes(b []byte, isText bool) string {
	if isText {
		return unlatin1(string(b))
	}
	return string(b)
}

func basicAuthText(t *testing.T, in input) (any, error) {
	var parts [2]string
	for i, key := range []string{"username", "password"} {
		text, err := pythonText(in.typed(t, key))
		switch {
		case err != nil:
			return nil, err
		case in.bytes(key) != nil && !isASCII([]byte(text)) && utf8.ValidString(text):
			return nil, cannot("bytes that happen to be UTF-8: a Go string with them is text, which goes out as Latin-1")
		}
		parts[i] = text
	}
	p := &requests.PreparedRequest{}
	err := requests.BasicAuth(parts[0], parts[1]).Authenticate(p)
	return p.Headers.Get("Authorization"), err
}
