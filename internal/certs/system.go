package certs

import (
	"os"
	"runtime"
	"strings"
)

// systemFiles and systemDirs are where crypto/x509 looks for the system's authorities, in its order: the first file
// that can be read, and besides it every certificate of the first directory that has any.
var (
	systemFiles = []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS, RHEL 7
		"/etc/ssl/cert.pem",                                 // Alpine, OpenBSD
		"/usr/local/etc/ssl/cert.pem",                       // FreeBSD
		"/usr/local/share/certs/ca-root-nss.crt",            // DragonFly
		"/etc/openssl/certs/ca-certificates.crt",            // NetBSD
	}
	systemDirs = []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/openssl/certs", "/usr/local/share/certs"}
)

// SystemRoots returns the file, or else the directory, from which crypto/x509 reads the system's authorities; "" where
// the system itself verifies (macOS, iOS, Windows), and where there are none. SSL_CERT_FILE and SSL_CERT_DIR name
// others, to crypto/x509 and so here.
func SystemRoots() string {
	switch runtime.GOOS {
	case "darwin", "ios", "windows":
		return ""
	}
	files, dirs := systemFiles, systemDirs
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		files = []string{file}
	}
	if list := os.Getenv("SSL_CERT_DIR"); list != "" {
		dirs = strings.Split(list, ":")
	}
	return firstThere(append(files[:len(files):len(files)], dirs...))
}

func firstThere(paths []string) string {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
