package fleet

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/mountable/requests"
)

// sealed is the first byte of what is sealed; what is not begins with the "{" of its head.
const sealed = 1

// sealing is more than what is sealed is longer by.
const sealing = 64

// seal encrypts data for one purpose, its subject, where it cannot be exchanged for another.
func (f *Fleet) seal(purpose string, data []byte) []byte {
	if f.aead == nil {
		return data
	}
	out := make([]byte, 1+f.aead.NonceSize(), 1+f.aead.NonceSize()+len(data)+f.aead.Overhead())
	out[0] = sealed
	rand.Read(out[1:])
	return f.aead.Seal(out, out[1:], data, []byte(purpose))
}

// unseal is the inverse of seal.
func (f *Fleet) unseal(purpose string, data []byte) ([]byte, error) {
	switch {
	case f.aead == nil && len(data) > 0 && data[0] == sealed:
		return nil, damaged("%s is sealed, and there is no key", purpose)
	case f.aead == nil:
		return data, nil
	case len(data) < 1+f.aead.NonceSize() || data[0] != sealed:
		return nil, damaged("%s is not sealed, as it has to be where there is a key", purpose)
	}
	data = data[1:]
	n := f.aead.NonceSize()
	plain, err := f.aead.Open(nil, data[:n], data[n:], []byte(purpose))
	if err != nil {
		return nil, damaged("%s was not sealed with this key", purpose)
	}
	return plain, nil
}

// keyCheck tells keys apart, and says nothing else about them.
func (c *config) keyCheck() string {
	if c.key == nil {
		return ""
	}
	return hex.EncodeToString(c.mac("key")[:8])
}

// mac is a digest that nobody without the key, if there is one, can compare with guesses.
func (c *config) mac(parts ...string) []byte {
	h := hmac.New(sha256.New, append([]byte("fleet"), c.key...))
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func damaged(format string, args ...any) error {
	e := invalid(format, args...).(*requests.Error)
	return &requests.Error{Kind: requests.ErrDecode, Detail: e.Detail}
}
