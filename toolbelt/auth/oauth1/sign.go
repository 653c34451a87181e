package oauth1

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"slices"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// baseString is what is signed (RFC 5849 section 3.4.1): of what the request line and the Host field
// will say.
func baseString(p *requests.PreparedRequest, list [][2]string) (string, error) {
	u, err := uri.Parse(p.URL)
	if err != nil {
		return "", &requests.Error{Kind: requests.ErrInvalidURL, Detail: "oauth1: the URL cannot be read"}
	}
	path, text, _ := strings.Cut(p.Target(), "?")
	query, err := decode(text)
	if err != nil {
		return "", err
	}
	host := cmp.Or(p.Headers.Get("Host"), u.HostHeader())
	return strings.ToUpper(p.Method) + "&" + escape(baseURI(u.Scheme, host, path)) + "&" + escape(normalized(append(query, list...))), nil
}

// baseURI is the URL without query, default port and upper case in its host (section 3.4.1.2).
func baseURI(scheme, host, path string) string {
	host = uri.WithoutDefaultPort(strings.ToLower(host), scheme)
	return scheme + "://" + host + path
}

// normalized are the parameters, encoded and then sorted (section 3.4.1.3.2).
func normalized(list [][2]string) string {
	encoded := make([][2]string, len(list))
	for i, kv := range list {
		encoded[i] = [2]string{escape(kv[0]), escape(kv[1])}
	}
	slices.SortFunc(encoded, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	parts := make([]string, len(encoded))
	for i, kv := range encoded {
		parts[i] = kv[0] + "=" + kv[1]
	}
	return strings.Join(parts, "&")
}

// escape encodes all but letters, digits and -._~ (section 3.6).
func escape(s string) string { return uri.Escape(s, "-._~") }

// sign makes the signature of a base string (sections 3.4.2 to 3.4.4).
func (a *Auth) sign(base string) (string, error) {
	secrets := escape(string(a.config.ConsumerSecret)) + "&" + escape(string(a.config.TokenSecret))
	switch a.config.Method {
	case HMACSHA1:
		return authCode(sha1.New, secrets, base), nil
	case HMACSHA256:
		return authCode(sha256.New, secrets, base), nil
	case RSASHA1:
		sum := sha1.Sum([]byte(base))
		return a.rsa(crypto.SHA1, sum[:])
	case RSASHA256:
		sum := sha256.Sum256([]byte(base))
		return a.rsa(crypto.SHA256, sum[:])
	}
	return secrets, nil
}

func authCode(h func() hash.Hash, key, text string) string {
	mac := hmac.New(h, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (a *Auth) rsa(h crypto.Hash, sum []byte) (string, error) {
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.config.Key, h, sum)
	if err != nil {
		return "", &requests.Error{Kind: requests.ErrInvalidArgument, Err: err, Detail: "oauth1: Config.Key cannot sign"}
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
