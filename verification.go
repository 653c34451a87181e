package requests

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mountable/requests/internal/certs"
	"github.com/mountable/requests/internal/cookie"
	"github.com/mountable/requests/internal/hsts"
)

// Verification says how a server's certificate is checked. The zero value takes
// the setting of the next level: call, session, mount ([ConfigureConn]), environment
// (REQUESTS_CA_BUNDLE, then CURL_CA_BUNDLE), and in the end the system's roots. It is an [Option] and
// comparable.
type Verification struct{ is certs.Handle[certs.Roots] }

func verificationOf(r certs.Roots) Verification { return Verification{certs.HandleOf(r)} }

var (
	verifyingOn  = verificationOf(certs.Roots{Mode: certs.SystemOnly})
	verifyingOff = verificationOf(certs.Roots{Mode: certs.Off})
)

// Verify(true) checks certificates against the environment's CA bundle or the
// system's roots, whatever the session says; Verify(false) checks nothing.
func Verify(on bool) Verification {
	if on {
		return verifyingOn
	}
	return verifyingOff
}

// CABundle checks certificates against the CAs in a PEM file, or in all files of a
// directory whatever their names, instead of the system's roots. What is on disk at
// the time of a request counts, for connections that are kept too. A path that does
// not exist or holds no certificate is [ErrFile] before connecting.
func CABundle(path string) Verification {
	return verificationOf(certs.Roots{Mode: certs.Given, File: path})
}

// CABundlePEM checks certificates against the CAs in pem.
func CABundlePEM(pem []byte) Verification {
	return verificationOf(certs.Roots{Mode: certs.Given, PEM: string(pem)})
}

// CAPool checks certificates against the CAs in pool, under the constraints they
// were added with, and against no others. The pool must not be changed any more;
// requests share connections only if they use the same one. Nil is [ErrFile].
func CAPool(pool *x509.CertPool) Verification {
	return verificationOf(certs.Roots{Mode: certs.Given, Pool: pool})
}

// DefaultCABundle returns the path of the system's CA file or directory, which is used where no
// other is configured; DEFAULT_CA_BUNDLE_PATH of Requests is certifi's. It is "" where the system
// verifies by itself (macOS, Windows), and where it has none. SSL_CERT_FILE and SSL_CERT_DIR are
// variables of crypto/x509, whatever TrustEnv says.
func DefaultCABundle() string { return certs.SystemRoots() }

// Apply makes v the verification of r.
func (v Verification) Apply(r *Request) error {
	r.Send.Verify = v
	return nil
}

// Enabled reports whether certificates are checked at all.
func (v Verification) Enabled() bool { return v != verifyingOff }

// Bundle returns the path given to CABundle, "" otherwise.
func (v Verification) Bundle() string { return v.is.Value().File }

// String describes v, "on", "off" or the path of the bundle.
func (v Verification) String() string { return v.is.Value().String() }

func (v Verification) or(other Verification) Verification { return cmp.Or(v, other) }

// undecided reports whether the environment may name the roots.
func (v Verification) undecided() bool { return v == Verification{} || v == verifyingOn }

func (v Verification) isBundle() bool { return v.is.Value().Mode == certs.Given }

// mergeVerify takes the call's verification, then the session's, then the environment's, or
// as Policy says Requests' order. fromEnvironment is the result where the environment chose
// it and a mount may still choose otherwise.
func (s *Session) mergeVerify(call Verification) (v, fromEnvironment Verification) {
	if s.Policy.EnvironmentCAFirst && call.undecided() {
		if v := s.environmentVerify(); v.isBundle() {
			return v, Verification{}
		}
		return call.or(s.Verify), Verification{}
	}
	v = call.or(s.Verify)
	if v.undecided() {
		fromEnvironment = s.environmentVerify()
		v = fromEnvironment.or(v)
	}
	return v, fromEnvironment
}

func (s *Session) environmentVerify() Verification {
	if !s.TrustEnv {
		return Verification{}
	}
	for _, name := range []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		if path := os.Getenv(name); path != "" {
			return Verification{environmentRoots.File(path)}
		}
	}
	return Verification{}
}

var (
	certStore        certs.Store // remembers what has been read from certificate files until they change
	environmentRoots certs.Named // those of the variable that was asked last
)

// load returns the roots to verify against, nil for the system's.
func (v Verification) load() (*x509.CertPool, error) {
	pool, err := v.is.Value().Load(&certStore)
	return pool, wrap(ErrFile, err, "")
}

// check finds a bundle that is not there before anything is sent.
func (v Verification) check() error {
	return wrap(ErrFile, v.is.Value().Check(), "the CA bundle cannot be used")
}

// verifyOver lays the request's verification over what the connection's editors chose. A
// request that does not say gets what they chose, and so does one that only the
// environment has spoken for.
func (o *SendOptions) verifyOver(edited Verification) Verification {
	v := o.Verify
	switch {
	case v == Verification{}:
		return edited
	case v == verifyingOn && edited.isBundle():
		return edited
	case !edited.undecided() && v.isBundle() && v == o.environmentVerify:
		return edited
	}
	return v
}

// reread returns v with what its file holds now, as a part of the pool's key: no
// connection, and no TLS session, that was checked by other authorities is used for it.
func (v Verification) reread() (Verification, error) {
	is, err := certs.Reread(v.is, &certStore)
	return Verification{is}, wrap(ErrFile, err, "")
}

// HSTS remembers which hosts have asked to be spoken to over https only (HTTP Strict
// Transport Security, RFC 6797). A session whose HSTS is set learns from the
// Strict-Transport-Security field of responses, over https with a certificate verified for
// the host and never for an IP address, and changes http to https in the URL of every
// request for such a host before anything is sent or looked up: those of calls, of
// redirects and of http.Clients over the session alike. Port 80 becomes the default one,
// any other stays.
//
// An HSTS is safe for concurrent use, and may be shared by sessions. It holds 10,000 hosts; beyond that a
// tenth is evicted: of the sites that have the most, those that expire first. A nil one knows nothing.
type HSTS struct{ store *hsts.Store }

// NewHSTS returns an HSTS that knows no host.
func NewHSTS() *HSTS { return &HSTS{hsts.New()} }

// Save writes the hosts to the named file, in the format of curl's --hsts option. Only the
// owner may read the file; it is replaced in one step. An error is [ErrFile].
func (h *HSTS) Save(name string) error {
	text, err := h.MarshalText()
	if err != nil {
		return err
	}
	return wrap(ErrFile, cookie.ReplaceFile(name, text), "the HSTS hosts cannot be saved")
}

// Load adds the hosts of a file that Save, or curl, has written, but for entries that end before
// what is known of their host. On an error, which is [ErrFile], nothing is added.
func (h *HSTS) Load(name string) error {
	data, err := cookie.ReadFile(name)
	if err == nil {
		err = h.UnmarshalText(data)
	}
	return wrap(ErrFile, err, fmt.Sprintf("the HSTS hosts of %q cannot be loaded", filepath.Base(name)))
}

// MarshalText returns what Save writes.
func (h *HSTS) MarshalText() ([]byte, error) {
	if h == nil {
		return nil, errNilHSTS()
	}
	return h.store.Text(), nil
}

// UnmarshalText adds the hosts of what MarshalText has returned. On an error nothing is added.
func (h *HSTS) UnmarshalText(data []byte) error {
	if h == nil {
		return errNilHSTS()
	}
	return h.store.Read(data)
}

func errNilHSTS() error { return fail(ErrInvalidArgument, "the HSTS is nil: NewHSTS makes one") }

func (h *HSTS) learn(r *Response) {
	if h != nil && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 && len(r.TLS.PeerCertificates) > 0 {
		h.store.Learn(r.URL, r.Headers.Values("Strict-Transport-Security"), r.TLS.PeerCertificates[0].VerifyHostname)
	}
}

func (h *HSTS) upgrade(url string) string {
	if h == nil {
		return url
	}
	return h.store.Upgrade(url)
}

// secured returns p, or a copy for https where its host wants that.
func (h *HSTS) secured(p *PreparedRequest) *PreparedRequest {
	url := h.upgrade(p.URL)
	if url == p.URL {
		return p
	}
	c, target := p.Clone(), p.at().Target
	c.setURL(url)
	c.address.Target = target
	return c
}
