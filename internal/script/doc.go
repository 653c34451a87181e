// Package script runs testdata/script: what is about the environment, files and processes, each script in a directory
// and an environment of its own. The commands that scripts have besides testscript's are
//
//	fetch [flags] url...        a client in a process of its own, made of the package's options; see fetch_test.go
//	serve name [flags] [reply]  an origin, whose address is then in $name; see serve_test.go
//	proxy name [flags]          an HTTP, https or SOCKS5 proxy
//	received name file          writes what a server has been sent, with names for ports, into a file for cmp
//	silent name                 fails if there has been a single connection
//	tls ca|client …             writes certificates and keys; see tls_test.go
//
// The package has no code of its own: everything is in its test files.
package script
