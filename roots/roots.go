// Package roots brings Mozilla's certificate authorities along in the program, as
// certifi does in Python.
//
// By default certificates are checked against the system's roots, which the system
// keeps up to date. A program that may run where there are none, in an empty
// container for one, imports this package for its side effect:
//
//	import _ "github.com/mountable/requests/roots"
//
// The system's roots, where there are any, still come first: see
// [x509.SetFallbackRoots], which is called once for the whole program, so another
// call of it panics. GODEBUG=x509usefallbackroots=1 prefers these roots to the
// system's on Linux and the BSDs.
//
// [Bundle] uses these roots alone, whatever the system has.
//
// Embedded roots age. They are those of the golang.org/x/crypto/x509roots/fallback
// that the program is built with, of the day that [Date] returns; "go get -u
// golang.org/x/crypto/x509roots/fallback" brings newer ones, and govulncheck tells
// when it should. Without a new build they are replaced by REQUESTS_CA_BUNDLE (not
// where Bundle is asked for) and [requests.CABundle].
package roots

import (
	"crypto/x509"
	"iter"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
	_ "golang.org/x/crypto/x509roots/fallback" // SetFallbackRoots, once a program
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// source is the module that holds the certificates, and pinned the version of it
// that this package asks for: what a program has that keeps no build information.
const (
	source = "golang.org/x/crypto/x509roots/fallback"
	pinned = "v0.0.0-20261030153154-30a33513ff6d"
)

// Bundle checks certificates against Mozilla's roots instead of the system's,
// with the limits Mozilla sets to some of them: an authority on its way out is
// trusted for certificates from before a certain day only. It is an option of a call
// and a setting of a session:
//
//	s.Verify = roots.Bundle()
//
// Every call returns the same value, so that requests share connections. It is
// comparable, and safe for concurrent use.
func Bundle() requests.Verification { return requests.CAPool(pool()) }

// pool reads the certificates, when they are first asked for.
var pool = sync.OnceValue(func() *x509.CertPool { return poolOf(bundle.Roots()) })

// poolOf makes a pool of roots with their limits. One that cannot be read is left
// out: a root fewer is safe.
func poolOf(roots iter.Seq[bundle.Root]) *x509.CertPool {
	p := x509.NewCertPool()
	for root := range roots {
		cert, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil:
		case root.Constraint == nil:
			p.AddCert(cert)
		default:
			p.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return p
}

// Version is the version of golang.org/x/crypto/x509roots/fallback that the program
// was built with.
func Version() string {
	info, _ := debug.ReadBuildInfo()
	return versionIn(info)
}

// versionIn finds the version in what the build noted, if it did.
func versionIn(info *debug.BuildInfo) string {
	if info == nil {
		return pinned
	}
	for _, m := range info.Deps {
		if m.Path == source && m.Replace != nil {
			return m.Replace.Version
		}
		if m.Path == source {
			return m.Version
		}
	}
	return pinned
}

// Date returns when the roots were taken from Mozilla, in UTC, which [Version] tells.
// It is the zero time if the program was built with a version that has no date.
func Date() time.Time { return dateOf(Version()) }

// dateOf reads the date in a pseudo-version: v0.0.0-20060102150405-revision.
func dateOf(version string) time.Time {
	for part := range strings.FieldsFuncSeq(version, func(r rune) bool { return r == '-' || r == '.' }) {
		if day, err := time.Parse("20060102150405", part); err == nil {
			return day
		}
	}
	return time.Time{}
}
