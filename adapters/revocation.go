package adapters

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/bounded"
)

// CRLFiles refuses certificates that are on revocation lists (RFC 5280), in files of PEM or
// DER. As with curl's --crlfile, every certificate but the root needs a list of its issuer
// that is signed by it and has not run out; one of several chains is enough. The files are
// read again for a new connection when they have changed, and one that cannot be used then
// ends the request.
//
// What is refused is [requests.ErrSSL], before anything is sent. It holds for origins, and not
// for the TLS of a proxy, nor where [requests.Verify] is off. A file that cannot be read is
// [requests.ErrFile], and so are lists that are not complete by themselves: deltas, and those
// with a critical extension.
func CRLFiles(paths ...string) (requests.AdapterOption, error) {
	if len(paths) == 0 {
		return nil, invalid("CRLFiles: no file is named")
	}
	c := &crlFiles{paths: paths, files: map[string]crlFile{}}
	if _, err := c.current(); err != nil {
		return nil, err
	}
	return checkTLS(c), nil
}

// StapledOCSP asks servers for a response about their certificate from its issuer, stapled to the handshake (RFC 6066 section 8): it has to be there, to be signed
// by the issuer or its delegate (RFC 6960 section 4.2.2.2), to be current, and to say that the certificate is good. Anything else is [requests.ErrSSL], before
// anything is sent. It holds for origins, and not for the TLS of a proxy, nor where [requests.Verify] is off.
func StapledOCSP() requests.AdapterOption { return checkTLS(stapled{}) }

// checkTLS adds a check to those that are there.
func checkTLS(check requests.TLSCheck) requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.TLS.Check != nil {
			c.TLS.Check = bothChecks{c.TLS.Check, check}
			return nil
		}
		c.TLS.Check = check
		return nil
	})
}

type bothChecks struct{ first, second requests.TLSCheck }

// CheckTLS implements [requests.TLSCheck].
func (b bothChecks) CheckTLS(state tls.ConnectionState) error {
	if err := b.first.CheckTLS(state); err != nil {
		return err
	}
	return b.second.CheckTLS(state)
}

type stapled struct{}

// CheckTLS implements [requests.TLSCheck].
func (stapled) CheckTLS(state tls.ConnectionState) error {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	if len(state.OCSPResponse) == 0 {
		return errors.New("the server stapled no OCSP response")
	}
	var last error
	for _, chain := range state.VerifiedChains {
		if last = checkStaple(state.OCSPResponse, chain); last == nil {
			return nil
		}
	}
	return last
}

func checkStaple(staple []byte, chain []*x509.Certificate) error {
	if len(chain) < 2 {
		return errors.New("the certificate is its own issuer, who cannot vouch for it")
	}
	r, err := ocsp.ParseResponseForCert(staple, chain[0], chain[1])
	if err != nil {
		return fmt.Errorf("the stapled OCSP response cannot be used: %w", err)
	}
	now := time.Now()
	switch {
	case !maySign(r.Certificate, chain[1], now):
		return errors.New("the stapled OCSP response is signed by a certificate that may not sign any")
	case r.Status == ocsp.Revoked:
		return fmt.Errorf("the certificate was revoked at %v, says its OCSP response", r.RevokedAt)
	case r.Status != ocsp.Good:
		return errors.New("the issuer does not know the certificate, says its OCSP response")
	case r.ThisUpdate.After(now.Add(clockSkew)), !r.NextUpdate.After(now):
		return fmt.Errorf("the stapled OCSP response is for the time from %v to %v", r.ThisUpdate, r.NextUpdate)
	}
	return nil
}

// maySign reports whether issuer lets signer, nil for itself, sign OCSP responses (RFC 6960 section
// 4.2.2.2). Package ocsp has checked no more than that issuer signed it, as it did with every server's.
func maySign(signer, issuer *x509.Certificate, now time.Time) bool {
	if signer == nil || signer.Equal(issuer) {
		return true
	}
	current := !now.Add(clockSkew).Before(signer.NotBefore) && !now.After(signer.NotAfter)
	return current && slices.Contains(signer.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning)
}

// clockSkew is how far clocks may be apart.
const clockSkew = 5 * time.Minute

// crlFiles are revocation lists in files.
type crlFiles struct {
	paths []string

	// mu protects the field below.
	mu    sync.Mutex
	files map[string]crlFile
}

// crlFile is what a file held when it was read.
type crlFile struct {
	size     int64
	modified time.Time
	lists    []*crl
}

type crl struct {
	*x509.RevocationList
	revoked map[string]bool // by serial number
}

// CheckTLS implements [requests.TLSCheck].
func (c *crlFiles) CheckTLS(state tls.ConnectionState) error {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	lists, err := c.current()
	if err != nil {
		return err
	}
	var last error
	for _, chain := range state.VerifiedChains {
		if last = checkRevoked(chain, lists); last == nil {
			return nil
		}
	}
	return last
}

// current returns the lists that the files hold now.
func (c *crlFiles) current() (all []*crl, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, path := range c.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, crlError(err)
		}
		f := c.files[path]
		if f.lists == nil || f.size != info.Size() || !f.modified.Equal(info.ModTime()) {
			f = crlFile{size: info.Size(), modified: info.ModTime()}
			if f.lists, err = readCRLs(path); err != nil {
				return nil, crlError(fmt.Errorf("%s: %w", path, err))
			}
			c.files[path] = f
		}
		all = append(all, f.lists...)
	}
	return all, nil
}

func crlError(err error) error {
	return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the revocation list cannot be used"}
}

// maxCRL bounds a file of revocation lists.
const maxCRL = 128 << 20

func readCRLs(path string) (lists []*crl, err error) {
	data, err := bounded.ReadFile(path, maxCRL)
	if err != nil {
		return nil, err
	}
	ders := [][]byte{data}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		ders = nil
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "X509 CRL" {
				ders = append(ders, block.Bytes)
			}
		}
	}
	for _, der := range ders {
		list, err := parseCRL(der)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	if len(lists) == 0 {
		return nil, errors.New("there is no revocation list in it")
	}
	return lists, nil
}

func parseCRL(der []byte) (*crl, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range list.Extensions {
		if e.Critical {
			return nil, fmt.Errorf("the list has the critical extension %v, and may not be complete by itself", e.Id)
		}
	}
	c := &crl{list, map[string]bool{}}
	for _, e := range list.RevokedCertificateEntries {
		c.revoked[string(e.SerialNumber.Bytes())] = true
	}
	return c, nil
}

// checkRevoked looks each certificate of a chain up, but for the root.
func checkRevoked(chain []*x509.Certificate, lists []*crl) error {
	for i, cert := range chain[:len(chain)-1] {
		found := false
		for _, list := range lists {
			if !list.isOf(chain[i+1]) {
				continue
			}
			if found = true; list.revoked[string(cert.SerialNumber.Bytes())] {
				return fmt.Errorf("the certificate %q with the serial number %x is revoked", cert.Subject, cert.SerialNumber)
			}
		}
		if !found {
			return fmt.Errorf("there is no current revocation list of %q", chain[i+1].Subject)
		}
	}
	return nil
}

// isOf reports whether the list is issuer's, and has not run out.
func (c *crl) isOf(issuer *x509.Certificate) bool {
	now := time.Now()
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) && now.Before(c.NextUpdate) && !now.Add(clockSkew).Before(c.ThisUpdate) && c.CheckSignatureFrom(issuer) == nil
}
