package certs

import (
	"errors"
	"io/fs"
)

// The reasons a caller may want to tell apart; they are reached through errors.Is.
var (
	ErrPasswordNeeded = errors.New("the private key is encrypted and no password was given")
	ErrWrongPassword  = errors.New("wrong password for the private key")
	ErrKeyMismatch    = errors.New("the private key does not belong to the first certificate")
	ErrNoCertificate  = errors.New("no certificate found")
	ErrNoPrivateKey   = errors.New("no private key found")
)

// Error is every error of this package. Err is the cause, fs.ErrNotExist for a file that is not there.
type Error struct {
	What string // "CA bundle", "client certificate", "private key"
	Path string // the file or directory; "" for bytes
	Err  error
}

func (e *Error) Error() string {
	err := e.Err
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == e.Path {
		err = path.Err
	}
	if e.Path == "" {
		return "TLS " + e.What + ": " + err.Error()
	}
	return "TLS " + e.What + " " + e.Path + ": " + err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
