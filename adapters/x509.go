package adapters

import "github.com/mountable/requests"

// X509 shows a client certificate to the origin. cert holds the certificate, followed by
// its chain if it needs one, and key its private key, both as PEM or DER; a PKCS#12
// file holds all of them, and key is empty then, as it is for PEM with both in cert.
// password is that of an encrypted key or PKCS#12 file, "" for none.
//
// Everything is read and checked here: what cannot be read, a key that is not the
// certificate's, a wrong password, a certificate that is not valid yet or any more (the
// error names the date) are [requests.ErrFile]. A request's own [requests.Certificate]
// takes its place.
func X509(cert, key []byte, password string) (requests.AdapterOption, error) {
	if len(cert) == 0 {
		return nil, invalid("X509: cert is empty: expected a certificate as PEM, DER or PKCS#12")
	}
	certificate := requests.CertPEM(cert, key).WithPassword(password)
	if _, err := certificate.Load(); err != nil {
		return nil, err
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.Scheme == "https" {
			c.TLS.Cert = certificate
		}
		return nil
	}), nil
}
