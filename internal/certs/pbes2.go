package certs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// encryptedKey is EncryptedPrivateKeyInfo (RFC 5958 3).
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pbes2Params is PBES2-params (RFC 8018 A.4).
type pbes2Params struct {
	KDF, Scheme pkix.AlgorithmIdentifier
}

// pbkdf2Params is PBKDF2-params (RFC 8018 A.2).
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// scryptParams is RFC 7914 7.1.
type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

// What a key file may cost to open, so that a hostile one cannot hold the program.
const (
	maxIterations   = 20_000_000
	maxScryptMemory = 512 << 20
)

// parseEncrypted recognises the structure; decrypt says what it cannot open.
func parseEncrypted(der []byte) (*encryptedKey, error) {
	var k encryptedKey
	rest, err := asn1.Unmarshal(der, &k)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes after the encrypted key")
	}
	return &k, err
}

func (k *encryptedKey) decrypt(password string) ([]byte, error) {
	if !k.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("the key is encrypted by algorithm %v; only PBES2 is supported (openssl pkcs8 -topk8 converts)", k.Algorithm.Algorithm)
	}
	var p pbes2Params
	if _, err := asn1.Unmarshal(k.Algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, fmt.Errorf("encryption parameters: %w", err)
	}
	scheme, ok := ciphers[p.Scheme.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("unsupported cipher %v", p.Scheme.Algorithm)
	}
	var iv []byte
	if _, err := asn1.Unmarshal(p.Scheme.Parameters.FullBytes, &iv); err != nil {
		return nil, fmt.Errorf("initialisation vector: %w", err)
	}
	key, err := deriveKey(p.KDF, password, scheme.keyLength)
	if err != nil {
		return nil, err
	}
	block, err := scheme.open(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, k.Data)
}

// deriveKey runs PBKDF2 or scrypt.
func deriveKey(kdf pkix.AlgorithmIdentifier, password string, length int) ([]byte, error) {
	switch {
	case kdf.Algorithm.Equal(oidPBKDF2):
		var p pbkdf2Params
		if _, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
			return nil, fmt.Errorf("PBKDF2 parameters: %w", err)
		}
		prf, err := p.hash()
		if err != nil {
			return nil, err
		}
		if p.Iterations < 1 || p.Iterations > maxIterations {
			return nil, fmt.Errorf("PBKDF2 with %d iterations", p.Iterations)
		}
		return pbkdf2.Key(prf, password, p.Salt, p.Iterations, length)
	case kdf.Algorithm.Equal(oidScrypt):
		var p scryptParams
		if _, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
			return nil, fmt.Errorf("scrypt parameters: %w", err)
		}
		if p.N < 1 || p.R < 1 || p.P < 1 || p.P > 1024 || p.R > 1024 || p.N > maxScryptMemory/128/p.R {
			return nil, fmt.Errorf("scrypt with N=%d, r=%d, p=%d", p.N, p.R, p.P)
		}
		return scrypt.Key([]byte(password), p.Salt, p.N, p.R, p.P, length)
	}
	return nil, fmt.Errorf("unsupported key derivation %v", kdf.Algorithm)
}

// hash is the PRF's; HMAC with SHA-1 is the default of the RFC.
func (p *pbkdf2Params) hash() (func() hash.Hash, error) {
	if len(p.PRF.Algorithm) == 0 {
		return sha1.New, nil
	}
	if h, ok := prfs[p.PRF.Algorithm.String()]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("unsupported PBKDF2 function %v", p.PRF.Algorithm)
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

var prfs = map[string]func() hash.Hash{
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

var ciphers = map[string]struct {
	keyLength int
	open      func([]byte) (cipher.Block, error)
}{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// decryptCBC undoes CBC with PKCS #7 padding; bad padding means a wrong password.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errors.New("encrypted key of invalid length")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > size {
		return nil, ErrWrongPassword
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, ErrWrongPassword
		}
	}
	return plain[:len(plain)-padding], nil
}
