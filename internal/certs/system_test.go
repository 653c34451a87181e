package certs

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSystemRoots: variables name the place as they do for crypto/x509, and what is named is there.
func TestSystemRoots(t *testing.T) {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("Windows and macOS verify with roots of their own, which cannot be listed")
	}
	file := write(t, "roots.pem", content(t, "cert.pem"))
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct{ file, dir, want string }{
		{file, none, file}, {none, filepath.Dir(file), filepath.Dir(file)}, {none, none + ":" + filepath.Dir(file), filepath.Dir(file)}, {none, none, ""},
	} {
		t.Setenv("SSL_CERT_FILE", c.file)
		t.Setenv("SSL_CERT_DIR", c.dir)
		if diff := cmp.Diff(c.want, SystemRoots()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
