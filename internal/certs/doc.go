// Package certs reads what TLS needs from files or bytes: sets of authorities, client
// certificates with their keys, fingerprints. It touches no network and only the files
// it is given. Errors name the file and the reason, never a password or key.
package certs
