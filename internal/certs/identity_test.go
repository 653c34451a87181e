package certs

import (
	"crypto/ecdsa"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fixture(name string) string { return filepath.Join("testdata", name) }

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func der(t *testing.T, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(content(t, name))
	return block.Bytes
}

// write puts content into a new file and returns its path.
func write(t *testing.T, name string, parts ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKeyForms opens one key in every form, each with the right password and each wrongly.
func TestKeyForms(t *testing.T) {
	cert := fixture("cert.pem")
	for _, form := range []string{"ec.key", "pkcs8.key", "aes256.key", "aes128.key", "des3.key", "scrypt.key", "legacy.key"} {
		encrypted := form != "ec.key" && form != "pkcs8.key"
		for _, c := range []struct {
			name string
			src  Source
			want error
		}{
			{"file", Source{CertFile: cert, KeyFile: fixture(form), Cert: []byte{}, Key: []byte{}, Password: "secret"}, nil},
			{"one file", Source{CertFile: write(t, "both", content(t, "cert.pem"), content(t, form)), Password: "secret"}, nil},
			{"bytes", Source{Cert: content(t, "cert.pem"), Key: content(t, form), Password: "secret"}, nil},
			{"asked", Source{CertFile: cert, KeyFile: fixture(form), PasswordFunc: func() (string, error) { return "secret", nil }}, nil},
			{"wrong", Source{CertFile: cert, KeyFile: fixture(form), Password: "swordfish"}, ErrWrongPassword},
			{"missing", Source{CertFile: cert, KeyFile: fixture(form)}, ErrPasswordNeeded},
			{"not answered", Source{CertFile: cert, KeyFile: fixture(form), PasswordFunc: func() (string, error) { return "", fs.ErrClosed }}, fs.ErrClosed},
		} {
			id, err := c.src.Load()
			if !encrypted {
				c.want = nil
			}
			checkLoad(t, form+", "+c.name, id, err, c.want)
		}
	}
}

func checkLoad(t *testing.T, name string, id *Identity, err, want error) {
	t.Helper()
	var e *Error
	switch {
	case !errors.Is(err, want):
		t.Errorf("%s: want %v, got %v", name, want, err)
	case want != nil && (!errors.As(err, &e) || strings.Contains(err.Error(), "swordfish")):
		t.Errorf("%s: %v", name, err)
	case want == nil && (id.Certificate.Leaf == nil || id.Certificate.PrivateKey.(*ecdsa.PrivateKey) == nil || len(id.Key) != 64):
		t.Errorf("%s: incomplete: %+v", name, id.Certificate.Leaf)
	}
}

func TestDER(t *testing.T) {
	cert := der(t, "cert.pem")
	for _, key := range []string{"ec.key", "pkcs8.key", "aes256.key"} {
		id, err := Source{Cert: cert, Key: der(t, key), Password: "secret"}.Load()
		checkLoad(t, key, id, err, nil)
	}
}

func TestPKCS12(t *testing.T) {
	for _, c := range []struct {
		name string
		src  Source
		want error
	}{
		{"file", Source{CertFile: fixture("id.p12"), Password: "secret"}, nil},
		{"bytes", Source{Cert: content(t, "id.p12"), Password: "secret"}, nil},
		{"empty password", Source{CertFile: fixture("nopass.p12")}, nil},
		{"wrong", Source{CertFile: fixture("id.p12"), Password: "swordfish"}, ErrWrongPassword},
		{"missing", Source{CertFile: fixture("id.p12")}, ErrPasswordNeeded},
	} {
		id, err := c.src.Load()
		checkLoad(t, c.name, id, err, c.want)
	}
}

func TestIdentityErrors(t *testing.T) {
	cert, key := fixture("cert.pem"), fixture("ec.key")
	for _, c := range []struct {
		name string
		src  Source
		want string
		is   error
	}{
		{"no certificate file", Source{CertFile: "/nowhere/c"}, "TLS client certificate /nowhere/c: no such file or directory", fs.ErrNotExist},
		{"no key file", Source{CertFile: cert, KeyFile: "/nowhere/k"}, "TLS private key /nowhere/k: no such file or directory", fs.ErrNotExist},
		{"key instead of certificate", Source{CertFile: key}, "TLS client certificate testdata/ec.key: no certificate found", ErrNoCertificate},
		{"certificate without key", Source{CertFile: cert}, "TLS private key testdata/cert.pem: no private key found", ErrNoPrivateKey},
		{"empty key file", Source{CertFile: write(t, "both", content(t, "cert.pem"), content(t, "ec.key")), KeyFile: os.DevNull},
			"TLS private key " + os.DevNull + ": no private key found", ErrNoPrivateKey},
		{"another's key", Source{CertFile: cert, KeyFile: fixture("other.key")},
			"TLS private key testdata/other.key: the private key does not belong to the first certificate", ErrKeyMismatch},
		{"nothing", Source{}, "TLS client certificate: no certificate found", ErrNoCertificate},
		{"PBES1", Source{CertFile: cert, KeyFile: fixture("pbes1.key"), Password: "secret"},
			"TLS private key testdata/pbes1.key: the key is encrypted by algorithm 1.2.840.113549.1.12.1.3; only PBES2 is supported (openssl pkcs8 -topk8 converts)", nil},
	} {
		_, err := c.src.Load()
		if err == nil {
			t.Fatalf("%s: no error", c.name)
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	var e *Error
	err := Source{CertFile: fixture("cert.pem"), KeyFile: "/nowhere"}.CheckFiles()
	if !errors.As(err, &e) || e.Path != "/nowhere" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := (Source{CertFile: fixture("cert.pem")}).CheckFiles(); err != nil {
		t.Error(err)
	}
}

func TestCheckValidity(t *testing.T) {
	id, err := Source{CertFile: fixture("cert.pem"), KeyFile: fixture("ec.key")}.Load()
	if err != nil {
		t.Fatal(err)
	}
	leaf := id.Certificate.Leaf
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{leaf.NotBefore, ""},
		{leaf.NotAfter, ""},
		{leaf.NotBefore.Add(-time.Second), "CN=client is not valid before 2026-11-20T10:21:15Z"},
		{leaf.NotAfter.Add(time.Second), "CN=client has expired on 2126-10-27T10:21:15Z"},
	} {
		got := ""
		if err := id.CheckValidity(c.now); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestStoreIdentity(t *testing.T) {
	var s Store
	old := time.Now().Add(-time.Hour)
	key := write(t, "key", content(t, "aes256.key"))
	cert := write(t, "cert", content(t, "cert.pem"))
	os.Chtimes(key, old, old)
	os.Chtimes(cert, old, old)
	src := Source{CertFile: cert, KeyFile: key, Password: "secret"}
	first, err := s.Identity(src)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Identity(src); again != first {
		t.Error("loaded again")
	}
	src.Password = "swordfish"
	if _, err := s.Identity(src); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("a wrong password got the remembered key: %v", err)
	}
	os.WriteFile(key, content(t, "other.key"), 0o600)
	src.Password = "secret"
	if _, err := s.Identity(src); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("a changed file was not noticed: %v", err)
	}
}

// FuzzKey opens anything without panic or great cost.
func FuzzKey(f *testing.F) {
	for _, name := range []string{"aes256.key", "scrypt.key", "legacy.key", "ec.key", "id.p12"} {
		b, err := os.ReadFile(fixture(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		if block, _ := pem.Decode(b); block != nil {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		decodeCertificate(b, func() (string, error) { return "", nil })
		decodeKey(b, func() (string, error) { return "", nil })
	})
}
