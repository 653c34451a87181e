// Package cache stores and reuses responses: an HTTP cache by RFC 9111, private or shared, around
// any adapter of package requests.
//
//	cached := cache.New(cache.Memory(64 << 20))
//	s.Mount("https://", cached(requests.NewHTTPAdapter()))
//	r, err := s.Get(ctx, url)
//	cache.StatusOf(r) // Miss; Hit the next time, if the server allows it
//
// What is done with a request:
//
//	request                                    what happens
//	GET, HEAD; a fresh response is stored      it is returned, nothing is sent: a part of it for a Range,
//	                                           304 for a condition of the caller's that it meets
//	a stale one                                it is validated with If-None-Match and If-Modified-Since
//	a stale one, and stale-while-revalidate    it is returned, and validated meanwhile
//	a stale one, stale-if-error, and no        it is returned
//	response but 500, 502, 503 or 504
//	none                                       the request is sent; those that ask for the same
//	                                           meanwhile wait for its response
//	any other method                           it is sent; success makes the stored responses of its URL,
//	                                           Location and Content-Location go
//	with a body, If-Match, If-Unmodified-Since it is sent
//
// Responses to GET with any final status but 206 and 304 are stored where RFC 9111 section 3
// allows it, once their body has been read to its end. What is stored is the body as it came, in
// its content coding. Set-Cookie is stored and not repeated, so an old cookie does not replace a
// newer one. Fields of the answer to a validation count.
//
// A response is reused for the same user only: for the same Authorization, Cookie and other fields
// with the name of a secret, unless the server says public. What an adapter below adds, such as
// adapters.Authenticate, cannot be looked up: such responses are stored where they are public alone,
// so that what authenticates belongs around a cache. The certificate, the authorities and the pins that
// options of an adapter below choose are not seen: caches over differing ones that share a store need
// a [Namespace] each.
//
// A store that fails is a miss and is logged; so is an entry that is damaged. No entry is used
// for another key than the one it was written for, whatever the store returns.
package cache
