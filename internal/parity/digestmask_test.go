package parity

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"regexp"
	"strings"
)

// credentials are the users and passwords that the digest auths of a scenario were given.
type credentials map[string]string

var (
	digestHeader = regexp.MustCompile(`Digest username="[^\r\n]*`)
	digestParam  = regexp.MustCompile(`([a-z]+)=(?:"([^"]*)"|([^",\s]+))`)
	hexCnonce    = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// maskDigests masks response and cnonce of every Digest header in the tree whose response is right for its password.
// A wrong response stays visible and so fails the comparison.
func (c credentials) maskDigests(tree any) any {
	return eachObject(tree, func(o map[string]any) {
		if raw, ok := o["raw"].(string); ok {
			method, _, _ := strings.Cut(raw, " ")
			o["raw"] = c.mask(method, raw)
		}
		if method, ok := o["method"].(string); ok && o["headers"] != nil {
			o["headers"] = mapStrings(o["headers"], func(s string) string { return c.mask(method, s) })
		}
	})
}

func (c credentials) mask(method, text string) string {
	return digestHeader.ReplaceAllStringFunc(text, func(header string) string {
		p := digestParams(header)
		if !hexCnonce.MatchString(p["cnonce"]) || c.response(method, p) != p["response"] {
			return header
		}
		header = strings.Replace(header, `response="`+p["response"]+`"`, `response="${digest}"`, 1)
		return strings.Replace(header, `cnonce="`+p["cnonce"]+`"`, `cnonce="${cnonce}"`, 1)
	})
}

func digestParams(header string) map[string]string {
	p := map[string]string{}
	for _, m := range digestParam.FindAllStringSubmatch(header, -1) {
		p[m[1]] = m[2] + m[3]
	}
	return p
}

// response computes what RFC 7616 section 3.4.1 asks for.
func (c credentials) response(method string, p map[string]string) string {
	h := digestHash(p["algorithm"])
	password, known := c[p["username"]]
	if h == nil || !known {
		return "unknown"
	}
	a1 := h(p["username"] + ":" + p["realm"] + ":" + password)
	if strings.HasSuffix(strings.ToUpper(p["algorithm"]), "-SESS") {
		a1 = h(a1 + ":" + p["nonce"] + ":" + p["cnonce"])
	}
	a2 := h(method + ":" + p["uri"])
	if p["qop"] == "" {
		return h(a1 + ":" + p["nonce"] + ":" + a2)
	}
	return h(strings.Join([]string{a1, p["nonce"], p["nc"], p["cnonce"], p["qop"], a2}, ":"))
}

func digestHash(algorithm string) func(string) string {
	makers := map[string]func() hash.Hash{
		"": md5.New, "MD5": md5.New, "SHA": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New,
	}
	maker := makers[strings.TrimSuffix(strings.ToUpper(algorithm), "-SESS")]
	if maker == nil {
		return nil
	}
	return func(s string) string {
		h := maker()
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
}
