// Package realworld holds the tests against servers and proxies that other people
// wrote: squid, tinyproxy, microsocks, nginx, nghttpd and Node, with curl as a second
// client and openssl for key files. They are behind the build tag realworld, as they need Debian's packages; .ci/run
// installs these and runs them. There is nothing in it to import.
package realworld
