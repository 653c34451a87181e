// Package toolbelt is requests-toolbelt for Go: the tools around
// [github.com/mountable/requests] that a program picks one at a time.
//
//   - Uploads: [Fields] and [MultipartEncoder] stream multipart/form-data of any
//     size, [Monitor] watches an upload, [StreamingIterator] sends what is made
//     while it is sent, [FileFromURL] passes a download on.
//   - Downloads: [StreamResponseToFile] saves a body under a safe name, [Tee] saves it
//     while the program reads it, [Download] asks for the rest where a connection
//     breaks; checksums and progress are options of them all.
//   - Many requests: [Pool] sends any number of them over a few workers.
//   - Watching: [DumpAll] shows what went over the wire, secrets masked.
//   - Responses: [MultipartDecoder] and [Parts] take multipart responses apart.
//   - Sessions: [NewBaseURLSession] resolves URLs against a base, [ForgetfulCookieJar]
//     keeps no cookies.
//   - Text: [FormData] encodes nested forms, [UserAgent] names a program,
//     [EncodingsFromContent] and [UnicodeFromResponse] look into a page for its
//     encoding.
//
// What uploads is a [requests.Option] by itself and a [requests.Streamer], so it
// is sent with its exact length and sent again, from its beginning, where a
// redirect, a retry or a challenge asks for it.
package toolbelt
