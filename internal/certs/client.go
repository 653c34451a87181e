package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Client is a client certificate as a caller names it, comparable. The zero Client names
// none and leaves the choice to others.
type Client struct {
	CertFile, KeyFile string // every file may be PEM, DER or PKCS#12
	Cert, Key         string // or what such files hold
	Given             bool   // Cert and Key count, even if they are empty
	Password          string // of the key
	None              bool   // show no certificate
	Holder            *Holder
	Read              *Identity // what the files held when the connection was planned
}

// Holder holds what is not comparable by value: a certificate that the caller has loaded,
// or who is asked for the password.
type Holder struct {
	certificate tls.Certificate
	password    func() (string, error)
}

// Loaded returns a Client for a certificate that the caller has loaded.
func Loaded(c tls.Certificate) Client { return Client{Holder: &Holder{certificate: c}} }

// Ask returns c with a function that is asked for the password, once, when the key is
// first read. A certificate that the caller has loaded has no use for one.
func (c Client) Ask(password func() (string, error)) Client {
	if password != nil && !c.isLoaded() {
		c.Holder = &Holder{password: asked(password)}
	}
	return c
}

// asked asks for the password once, and again where that has panicked or ended its goroutine.
func asked(password func() (string, error)) func() (string, error) {
	var mu sync.Mutex
	var known bool
	var answer string
	var failed error
	return func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if !known {
			answer, failed = password()
			known = true
		}
		return answer, failed
	}
}

func (c *Client) isLoaded() bool { return c.Holder != nil && c.Holder.password == nil }

func (c *Client) hasFiles() bool { return c.CertFile != "" || c.KeyFile != "" }

// String names the files and never shows a password or a key.
func (c Client) String() string {
	switch {
	case c == Client{}, c.None:
		return "none"
	case c.CertFile != "" && c.KeyFile != "":
		return c.CertFile + " with " + c.KeyFile
	case c.CertFile != "":
		return c.CertFile
	}
	return "given as data"
}

// Check finds files that are not there.
func (c *Client) Check() error {
	if !c.hasFiles() {
		return nil
	}
	return c.source().CheckFiles()
}

// Reread puts what the files hold now into Read: it tells identities apart, which file
// names do not.
func (c *Client) Reread(s *Store) (err error) {
	if c.hasFiles() {
		c.Read, err = s.Identity(c.source())
	}
	return err
}

// Show returns the certificate to show, if any. One that has expired is refused here, by
// name: a server only hangs up.
func (c Client) Show(s *Store) ([]tls.Certificate, error) {
	switch {
	case c == Client{}, c.None:
		return nil, nil
	case c.isLoaded() && len(c.Holder.certificate.Certificate) == 0:
		return nil, errors.New("CertTLS was given no certificate")
	case c.isLoaded():
		return []tls.Certificate{c.Holder.certificate}, nil
	}
	identity, err := c.Read, error(nil)
	if identity == nil {
		identity, err = s.Identity(c.source())
	}
	if err != nil {
		return nil, err
	}
	if err := identity.CheckValidity(time.Now()); err != nil {
		return nil, fmt.Errorf("client certificate %v: %w", c, err)
	}
	return []tls.Certificate{identity.Certificate}, nil
}

// Load is Show for a caller who needs a certificate, with its Leaf.
func (c Client) Load(s *Store) (tls.Certificate, error) {
	shown, err := c.Show(s)
	switch {
	case err != nil:
		return tls.Certificate{}, err
	case len(shown) == 0:
		return tls.Certificate{}, errors.New("no client certificate is given")
	case shown[0].Leaf == nil && len(shown[0].Certificate) > 0:
		leaf, err := x509.ParseCertificate(shown[0].Certificate[0])
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("the client certificate cannot be read: %w", err)
		}
		shown[0].Leaf = leaf
	}
	return shown[0], nil
}

func (c *Client) source() Source {
	s := Source{CertFile: c.CertFile, KeyFile: c.KeyFile, Cert: []byte(c.Cert), Key: []byte(c.Key), Password: c.Password}
	if c.Holder != nil {
		s.PasswordFunc, s.Owner = c.Holder.password, c.Holder
	}
	return s
}
