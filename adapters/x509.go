package adapters

import (
	"crypto/tls"
	"time"

	"github.com/mountable/requests"
)

// X509 shows a client certificate to the origin. cert holds the certificate, followed by
// its chain if it needs one, and key its private key, both as PEM or DER; a PKCS#12
// file holds all of them, and key is empty then, as it is for PEM with both in cert.
// password is that of an encrypted key or PKCS#12 file, "" for none.
//
// Everything is read and checked here: what cannot be read, a key that is not the
// certificate's, a wrong password are [requests.ErrFile], a certificate that is not
// valid yet or any more is [requests.ErrInvalidArgument] naming the date. A request's
// own [requests.Certificate] takes its place.
func X509(cert, key []byte, password string) (requests.AdapterOption, error) {
	if len(cert) == 0 {
		return nil, invalid("X509: cert is empty: expected a certificate as PEM, DER or PKCS#12")
	}
	certificate := requests.CertPEM(cert, key).WithPassword(password)
	loaded, err := certificate.Load()
	if err != nil {
		return nil, err
	}
	if err := checkDates(&loaded, time.Now()); err != nil {
		return nil, err
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.Scheme == "https" {
			c.TLS.Cert = certificate
		}
		return nil
	}), nil
}

// NewX509Adapter is an HTTPAdapter with [X509].
func NewX509Adapter(cert, key []byte, password string, options ...requests.AdapterOption) (*requests.HTTPAdapter, error) {
	first, err := X509(cert, key, password)
	return withOption(first, err, options)
}

// checkDates refuses a certificate that is not valid now, naming the date.
func checkDates(c *tls.Certificate, now time.Time) error {
	switch leaf := c.Leaf; {
	case now.Before(leaf.NotBefore):
		return invalid("X509: the certificate of %q is not valid before %s", leaf.Subject, leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		return invalid("X509: the certificate of %q expired on %s", leaf.Subject, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
