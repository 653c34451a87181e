package httpsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
)

// algorithm is one of RFC 9421 section 3.3, with its key.
type algorithm struct {
	name string
	sign func(text []byte) ([]byte, error)
}

// minSecret is 128 bits: a shorter one can be guessed.
const minSecret = 16

func algorithmOf(c Config) (algorithm, error) {
	if secret, ok := c.Key.([]byte); ok {
		if len(secret) < minSecret {
			return algorithm{}, fail("Config.Key has %d bytes, and at least %d are wanted", len(secret), minSecret)
		}
		return algorithm{"hmac-sha256", authCode(secret)}, nil
	}
	signer, ok := c.Key.(crypto.Signer)
	if !ok {
		return algorithm{}, fail("Config.Key is a %T, which cannot sign", c.Key)
	}
	switch public := signer.Public().(type) {
	case ed25519.PublicKey:
		return algorithm{"ed25519", func(text []byte) ([]byte, error) { return signer.Sign(rand.Reader, text, crypto.Hash(0)) }}, nil
	case *ecdsa.PublicKey:
		return curved(signer, public)
	case *rsa.PublicKey:
		if c.RSAv15 {
			return algorithm{"rsa-v1_5-sha256", hashed(signer, crypto.SHA256, crypto.SHA256)}, nil
		}
		options := &rsa.PSSOptions{SaltLength: crypto.SHA512.Size(), Hash: crypto.SHA512}
		return algorithm{"rsa-pss-sha512", hashed(signer, crypto.SHA512, options)}, nil
	}
	return algorithm{}, fail("Config.Key has a public key of type %T, for which there is no algorithm", signer.Public())
}

func authCode(secret []byte) func([]byte) ([]byte, error) {
	return func(text []byte) ([]byte, error) {
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		return mac.Sum(nil), nil
	}
}

func hashed(signer crypto.Signer, h crypto.Hash, options crypto.SignerOpts) func([]byte) ([]byte, error) {
	return func(text []byte) ([]byte, error) {
		digest := h.New()
		digest.Write(text)
		return signer.Sign(rand.Reader, digest.Sum(nil), options)
	}
}

func curved(signer crypto.Signer, public *ecdsa.PublicKey) (algorithm, error) {
	switch public.Curve {
	case elliptic.P256():
		return algorithm{"ecdsa-p256-sha256", flat(hashed(signer, crypto.SHA256, crypto.SHA256), 32)}, nil
	case elliptic.P384():
		return algorithm{"ecdsa-p384-sha384", flat(hashed(signer, crypto.SHA384, crypto.SHA384), 48)}, nil
	}
	return algorithm{}, fail("Config.Key is on the curve %s, and P-256 or P-384 is wanted", public.Params().Name)
}

// flat writes the two numbers of a signature one behind the other (section 3.3.4), and not as
// ASN.1.
func flat(sign func([]byte) ([]byte, error), size int) func([]byte) ([]byte, error) {
	return func(text []byte) ([]byte, error) {
		der, err := sign(text)
		if err != nil {
			return nil, err
		}
		var s struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(der, &s); err != nil || len(rest) > 0 || s.R.BitLen() > 8*size || s.S.BitLen() > 8*size {
			return nil, errors.New("the signature is not one of ECDSA")
		}
		both := make([]byte, 2*size)
		s.R.FillBytes(both[:size])
		s.S.FillBytes(both[size:])
		return both, nil
	}
}
