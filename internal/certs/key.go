package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// decodeKey finds the first private key in content: PEM of any usual kind, or DER.
func decodeKey(content []byte, password func() (string, error)) (crypto.Signer, error) {
	if !bytes.Contains(content, []byte("-----BEGIN ")) {
		return decodeDERKey(content, password)
	}
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, ErrNoPrivateKey
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return decodeKeyBlock(block, password)
		}
	}
}

func decodeKeyBlock(block *pem.Block, password func() (string, error)) (crypto.Signer, error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return decodeEncrypted(block.Bytes, password)
	case block.Type == "OPENSSH PRIVATE KEY":
		return nil, errors.New("an OpenSSH key cannot be used for TLS")
	//lint:ignore SA1019 weak, and still what "openssl rsa -aes256" writes
	case x509.IsEncryptedPEMBlock(block):
		return decodeLegacy(block, password)
	}
	return parseKey(block.Bytes)
}

// decodeLegacy opens what OpenSSL wrote before PKCS #8 (RFC 1423). A wrong password is mostly, not always,
// noticed by the padding, else by the parser.
func decodeLegacy(block *pem.Block, password func() (string, error)) (crypto.Signer, error) {
	secret, err := needPassword(password)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 see decodeKeyBlock
	der, err := x509.DecryptPEMBlock(block, []byte(secret))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrWrongPassword
	case err != nil:
		return nil, err
	}
	return parseDecrypted(der)
}

// decodeEncrypted opens PKCS #8 EncryptedPrivateKeyInfo (RFC 5958 3).
func decodeEncrypted(der []byte, password func() (string, error)) (crypto.Signer, error) {
	info, err := parseEncrypted(der)
	if err != nil {
		return nil, err
	}
	secret, err := needPassword(password)
	if err != nil {
		return nil, err
	}
	plain, err := info.decrypt(secret)
	if err != nil {
		return nil, err
	}
	return parseDecrypted(plain)
}

func decodeDERKey(der []byte, password func() (string, error)) (crypto.Signer, error) {
	if len(der) == 0 {
		return nil, ErrNoPrivateKey
	}
	if _, err := parseEncrypted(der); err == nil {
		return decodeEncrypted(der, password)
	}
	return parseKey(der)
}

func needPassword(password func() (string, error)) (string, error) {
	secret, err := password()
	if err == nil && secret == "" {
		err = ErrPasswordNeeded
	}
	return secret, err
}

// parseDecrypted takes a key that cannot be parsed for the result of a wrong password.
func parseDecrypted(der []byte) (crypto.Signer, error) {
	key, err := parseKey(der)
	if err != nil {
		return nil, ErrWrongPassword
	}
	return key, nil
}

// parseKey reads PKCS #8, PKCS #1 or SEC 1.
func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if rsaKey, err := x509.ParsePKCS1PrivateKey(der); err == nil {
			return rsaKey, nil
		}
		if ecKey, err := x509.ParseECPrivateKey(der); err == nil {
			return ecKey, nil
		}
		return nil, fmt.Errorf("not a private key this platform can read: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", key)
	}
	return signer, nil
}

// decodePKCS12 opens a PFX: the key, its certificate, and the rest as the chain.
func decodePKCS12(content []byte, password func() (string, error)) ([]*x509.Certificate, crypto.Signer, error) {
	key, leaf, others, err := pkcs12.DecodeChain(content, "")
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		secret, askErr := needPassword(password)
		if askErr != nil {
			return nil, nil, askErr
		}
		key, leaf, others, err = pkcs12.DecodeChain(content, secret)
	}
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, ErrWrongPassword
	case err != nil:
		return nil, nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("a %T cannot sign", key)
	}
	return append([]*x509.Certificate{leaf}, others...), signer, nil
}
