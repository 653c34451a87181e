package certs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/bounded"
)

func TestParseBundle(t *testing.T) {
	cert, key := content(t, "cert.pem"), content(t, "ec.key")
	broken := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	for _, c := range []struct {
		name  string
		parts [][]byte
		count int
		want  error
	}{
		{"one", [][]byte{cert}, 1, nil},
		{"comments and keys", [][]byte{[]byte("# a root\n"), cert, key, []byte("\ntail\n")}, 1, nil},
		{"twice", [][]byte{cert, cert}, 2, nil},
		{"CRLF", [][]byte{bytes.ReplaceAll(cert, []byte("\n"), []byte("\r\n"))}, 1, nil},
		{"an unreadable one is skipped", [][]byte{broken, cert}, 1, nil},
		{"trusted", [][]byte{content(t, "trusted.pem")}, 1, nil},
		{"DER", [][]byte{der(t, "cert.pem")}, 1, nil},
		{"only an unreadable one", [][]byte{broken}, 0, ErrNoCertificate},
		{"only a key", [][]byte{key}, 0, ErrNoCertificate},
		{"empty", nil, 0, ErrNoCertificate},
		{"text", [][]byte{[]byte("hello")}, 0, ErrNoCertificate},
		{"empty trusted", [][]byte{[]byte("-----BEGIN TRUSTED CERTIFICATE-----\n-----END TRUSTED CERTIFICATE-----\n")}, 0, ErrNoCertificate},
	} {
		b, err := ParseBundle(bytes.Join(c.parts, nil))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", c.name, c.want, err)
		} else if err == nil {
			if diff := cmp.Diff(c.count, b.Count); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.name, diff)
			}
		}
	}
}

func TestStoreBundle(t *testing.T) {
	var s Store
	old := time.Now().Add(-time.Hour)
	one, two := write(t, "one.pem", content(t, "cert.pem")), write(t, "two.pem", content(t, "cert.pem"))
	os.Chtimes(one, old, old)
	first, err := s.Bundle(one)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Bundle(two)
	if err != nil || first != second {
		t.Errorf("parsed twice: %v", err)
	}
	if third, err := s.BundleBytes(content(t, "cert.pem")); err != nil || third != first {
		t.Errorf("parsed three times: %v", err)
	}
	os.WriteFile(one, append([]byte("# changed\n"), content(t, "cert.pem")...), 0o600)
	if changed, err := s.Bundle(one); err != nil || changed.Key == first.Key {
		t.Errorf("change not noticed: %v", err)
	}
	os.Remove(one)
	if _, err := s.Bundle(one); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removal not noticed: %v", err)
	}
}

func TestStoreDirectory(t *testing.T) {
	var s Store
	dir := filepath.Dir(write(t, "0a1b2c3d.0", content(t, "cert.pem")))
	os.WriteFile(filepath.Join(dir, "README"), []byte("hello"), 0o600)
	os.Mkdir(filepath.Join(dir, "sub"), 0o700)
	os.Symlink("0a1b2c3d.0", filepath.Join(dir, "link.pem"))
	os.Symlink("nowhere", filepath.Join(dir, "dangling.pem"))
	b, err := s.Bundle(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(2, b.Count); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	os.WriteFile(filepath.Join(dir, "more.pem"), content(t, "trusted.pem"), 0o600)
	if more, err := s.Bundle(dir); err != nil || more.Count != 3 {
		t.Errorf("new file not noticed: %v", err)
	}
}

func TestBundleErrors(t *testing.T) {
	var s Store
	empty, key := t.TempDir(), fixture("ec.key")
	for path, want := range map[string]string{
		"/garbage": "TLS CA bundle /garbage: no such file or directory",
		empty:      "TLS CA bundle " + empty + ": no certificate found",
		key:        "TLS CA bundle testdata/ec.key: no certificate found",
	} {
		_, err := s.Bundle(path)
		if err == nil {
			t.Fatalf("%s: no error", path)
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestParseFingerprint(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("a", 32):   "",
		strings.Repeat("AB:", 20): "",
		strings.Repeat("0", 64):   "",
		"aa:bb":                   "Fingerprint of invalid length: aabb",
		strings.Repeat("aa ", 20): "Fingerprint of invalid length: " + strings.Repeat("aa ", 20),
		strings.Repeat("z", 40):   "Non-hexadecimal digit found",
		strings.Repeat("é", 40):   "Non-hexadecimal digit found",
	} {
		got := ""
		if _, err := ParseFingerprint(text); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
}

// TestFileOfCertificatesBound: a file of certificates may have so many bytes, and not one more.
func TestFileOfCertificatesBound(t *testing.T) {
	text := content(t, "cert.pem")
	got := map[int]bool{}
	for beyond := -1; beyond <= 1; beyond++ {
		path := write(t, "cert.pem", append(slices.Clip(text), bytes.Repeat([]byte("\n"), maxFile+beyond-len(text))...))
		_, err := new(Store).Bundle(path)
		got[beyond] = err == nil
		if _, tooLarge := errors.AsType[*bounded.TooLargeError](err); err != nil && !tooLarge {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[int]bool{-1: true, 0: true, 1: false}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
