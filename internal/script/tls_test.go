package script

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/mountable/requests/internal/wiretest"
)

// writeTLS makes files:
//
//	tls ca [-other] file                                   the authority of all servers, or one that has signed nothing
//	tls client [-password p] [-expired] [-p12] name files  a client's certificate and key in one file or in two
func writeTLS(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 || args[0] != "ca" && args[0] != "client" {
		ts.Fatalf("usage: tls ca|client …")
	}
	flags := flag.NewFlagSet("tls", flag.ContinueOnError)
	other := flags.Bool("other", false, "of another authority")
	password := flags.String("password", "", "encrypts the key")
	expired := flags.Bool("expired", false, "the certificate has expired")
	p12 := flags.Bool("p12", false, "PKCS #12")
	kind, rest := parse(ts, flags, args)
	if kind == "ca" {
		ca := wiretest.TestCA()
		if *other {
			ca = wiretest.OtherCA()
		}
		write(ts, rest[0], ca.PEM())
		return
	}
	leaf := wiretest.Leaf{Name: rest[0], Client: true}
	if *expired {
		leaf.Expires = time.Now().Add(-time.Hour)
	}
	c := wiretest.TestCA().Issue(leaf)
	switch files := rest[1:]; {
	case *p12:
		write(ts, files[0], bundle(ts, c, *password))
	default:
		cert, key := wiretest.PEM(c)
		if *password != "" {
			key = encrypt(ts, key, *password)
		}
		if len(files) == 1 {
			write(ts, files[0], slices.Concat(cert, key))
			return
		}
		write(ts, files[0], cert)
		write(ts, files[1], key)
	}
}

func write(ts *testscript.TestScript, file string, data []byte) {
	path := ts.MkAbs(file)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	ts.Check(os.WriteFile(path, data, 0o600))
}

func bundle(ts *testscript.TestScript, c tls.Certificate, password string) []byte {
	data, err := pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, nil, password)
	ts.Check(err)
	return data
}

// encrypt makes an encrypted PKCS #8 of one (RFC 8018, PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC).
func encrypt(ts *testscript.TestScript, key []byte, password string) []byte {
	block, _ := pem.Decode(key)
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	rand.Read(salt)
	rand.Read(iv)
	const rounds = 1000
	secret, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
	ts.Check(err)
	c, err := aes.NewCipher(secret)
	ts.Check(err)
	padding := aes.BlockSize - len(block.Bytes)%aes.BlockSize
	data := append(block.Bytes, slices.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(data, data)
	type identifier struct {
		ID         asn1.ObjectIdentifier
		Parameters any
	}
	derivation := identifier{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt   []byte
		Rounds int
		PRF    pkix.AlgorithmIdentifier
	}{salt, rounds, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}}}
	scheme := identifier{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, iv}
	der, err := asn1.Marshal(struct {
		Algorithm identifier
		Data      []byte
	}{identifier{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, struct{ Derivation, Scheme identifier }{derivation, scheme}}, data})
	ts.Check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
}
