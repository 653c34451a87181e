// Package uri reads, prepares, joins and compares URLs the way Requests and
// urllib3 do, with the strictness a client needs when credentials depend on it.
//
// [Parse] is the one reading of a URL that decides about credentials, proxies,
// cookies and dialling. [Prepare] turns what a caller typed into the URL of a
// request. The other functions work on URL text and keep the behavior of the
// Python function named in their comments.
//
// Where several parsers are known to read a URL differently (a backslash, an
// escaped delimiter or a stray @ in the authority, broken brackets) it is
// refused, so that no policy is ever decided for one host and a connection
// opened to another. The package does no I/O, looks nothing up and keeps no
// state; everything in it is safe for concurrent use and linear in its input.
package uri
