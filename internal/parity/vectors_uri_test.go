package parity

import (
	"errors"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

var _ = register(map[string]vectorFunc{
	"requote_uri":              textFunc("uri", uri.Requote),
	"unquote_unreserved":       func(_ *testing.T, in input) (any, error) { return kindOfURI(uri.UnquoteUnreserved(in.text("uri"))) },
	"prepare_url":              prepareURL,
	"path_url":                 textFunc("url", uri.PathURL),
	"urldefragauth":            textFunc("url", uri.DefragAuth),
	"get_auth_from_url":        authFromURL,
	"prepend_scheme_if_needed": prependScheme,
	"urljoin":                  func(_ *testing.T, in input) (any, error) { return uri.Join(in.text("base"), in.text("url")), nil },
	"encode_params":            encodeParams,
	"urllib3_encode_target":    encodeTarget,
	"urllib3_is_same_host":     sameHost,
	"should_strip_auth":        stripAuth,
})

// textFunc runs a function from text to text.
func textFunc(key string, f func(string) string) vectorFunc {
	return func(_ *testing.T, in input) (any, error) { return f(in.text(key)), nil }
}

// kindOfURI gives an error of internal/uri the Kind that the root gives it.
func kindOfURI(out string, err error) (any, error) {
	e, ok := errors.AsType[*uri.Error](err)
	switch {
	case err == nil:
		return out, nil
	case ok && e.Code == uri.MissingScheme:
		return nil, requests.ErrMissingSchema
	}
	return nil, requests.ErrInvalidURL
}

func prepareURL(t *testing.T, in input) (any, error) {
	url, _, ok := in.textOrBytes("url")
	if !ok {
		return nil, cannot("url %v", in.fields["url"])
	}
	return prepareWith(string(url), in.typed(t, "params"))
}

// prepareWith appends params given as text or as pairs.
func prepareWith(url string, params any) (any, error) {
	switch params := params.(type) {
	case string:
		return kindOfURI(uri.PrepareText(url, params))
	case []byte:
		return kindOfURI(uri.PrepareText(url, string(params)))
	}
	pairs, _, err := typedPairs(params)
	if err != nil {
		return nil, err
	}
	return kindOfURI(uri.Prepare(url, pairs))
}

func authFromURL(_ *testing.T, in input) (any, error) {
	user, password, _ := uri.SplitAuth(in.text("url"))
	return []string{user, password}, nil
}

func prependScheme(_ *testing.T, in input) (any, error) {
	return uri.PrependScheme(in.text("url"), in.text("scheme"))
}

// encodeParams encodes pairs. What Requests passes through unchanged is a body here, and unchanged too.
func encodeParams(t *testing.T, in input) (any, error) {
	data := in.typed(t, "data")
	switch data.(type) {
	case dict, list, tuple:
	case string, []byte, *fileValue, *textFileValue:
		return passedThrough(t, data)
	default:
		return nil, cannot("%T as params of a form", data)
	}
	pairs, _, err := typedPairs(data)
	return uri.EncodePairs(pairs), err
}

func passedThrough(t *testing.T, data any) (any, error) {
	r := &requests.Request{Method: "POST", URL: "http://h.test/"}
	if err := dataInto(t, data, r); err != nil {
		return nil, err
	}
	p, err := r.Prepare()
	if err != nil {
		return nil, err
	}
	content, inMemory := p.Body()
	switch data.(type) {
	case string:
		return string(content), nil
	case []byte:
		return b64(content), nil
	}
	return map[string]any{"file": !inMemory}, nil
}

func encodeTarget(_ *testing.T, in input) (any, error) {
	target, ok := uri.EncodeTarget(in.text("target"))
	if !ok {
		return nil, errors.New("no target")
	}
	return target, nil
}

func sameHost(_ *testing.T, in input) (any, error) {
	if in.textOr("base_kind", "url") != "url" {
		return nil, cannot("a pool without a port")
	}
	base, err := uri.Parse(in.text("base"))
	if err != nil {
		return nil, err
	}
	if url := in.text("url"); base.Port == 0 || !strings.HasPrefix(url, "/") && !strings.Contains(url, "://") {
		return nil, cannot("port 0, or the URL %q without a scheme: a redirect has been joined by then", url)
	}
	if url := in.text("url"); len(url) > 0 && url[0] == '/' {
		return true, nil
	}
	url, err := uri.Parse(in.text("url"))
	if err != nil {
		return nil, err
	}
	return uri.SameOrigin(&base, &url), nil
}

func stripAuth(_ *testing.T, in input) (any, error) {
	return uri.ShouldStripAuth(in.text("old"), in.text("new"))
}
