package dial

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// verifier checks the certificates of one handshake.
type verifier struct {
	tls    *TLS
	name   string
	chains [][]*x509.Certificate
}

func (t *TLS) verifier(host string) *verifier {
	return &verifier{tls: t, name: tlsName(firstOf(t.VerifyName, t.ServerName, host))}
}

// verify is tls.Config.VerifyConnection: the chain unless verification is off, then the
// fingerprint if there is one, else the name.
func (v *verifier) verify(state tls.ConnectionState) error {
	certs := state.PeerCertificates
	if len(certs) == 0 {
		return errors.New("the server presented no certificate")
	}
	err := v.check(certs)
	if err == nil && v.tls.Check != nil {
		state.VerifiedChains = v.chains
		err = v.tls.Check(state)
	}
	if err == nil {
		return nil
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: certs, Err: err}
}

func (v *verifier) check(certs []*x509.Certificate) error {
	if !v.tls.InsecureSkipVerify {
		if err := v.checkChain(certs); err != nil {
			return err
		}
	}
	switch {
	case len(v.tls.Fingerprint) > 0:
		return CheckFingerprint(certs[0].Raw, v.tls.Fingerprint)
	case v.tls.InsecureSkipVerify || v.tls.SkipName:
		return nil
	}
	return v.checkName(certs[0])
}

// checkChain builds the chains to the roots, for server authentication (RFC 5280 6.1).
func (v *verifier) checkChain(certs []*x509.Certificate) error {
	options := x509.VerifyOptions{Roots: v.tls.Roots, Intermediates: x509.NewCertPool()}
	for _, c := range certs[1:] {
		options.Intermediates.AddCert(c)
	}
	chains, err := certs[0].Verify(options)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if weak := weakKey(chain); weak == nil {
			v.chains = append(v.chains, chain)
		} else {
			err = weak
		}
	}
	if len(v.chains) == 0 {
		return err
	}
	return nil
}

// minRSABits is what OpenSSL's security level 2, the one Python sets, and the CA/Browser
// Forum ask for. crypto/tls itself stops at 1024.
const minRSABits = 2048

func weakKey(chain []*x509.Certificate) error {
	for _, c := range chain {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
			return fmt.Errorf("the RSA key of certificate %q has only %d bits", c.Subject, key.N.BitLen())
		}
	}
	return nil
}

// checkName matches subjectAltName only, and IP addresses only with iPAddress entries
// (RFC 9525).
func (v *verifier) checkName(leaf *x509.Certificate) error {
	if v.name == "" {
		return errors.New("no host name to check the certificate against")
	}
	return leaf.VerifyHostname(v.name)
}
