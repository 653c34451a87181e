package cache

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// get is a step that finds nothing stored, and hit one that does.
func get(origin reply, want string) step { return step{origin: origin, want: want, asked: "GET"} }

func hit(after time.Duration, want string) step { return step{after: after, want: want} }

func control(value string) requests.Headers { return requests.Headers{{"Cache-Control", value}} }

var down = reply{err: errors.New("the server is down")}

// TestRFC9111 has what the RFC demands, and the example of each rule, by section.
func TestRFC9111(t *testing.T) {
	shared := []Option{Shared()}
	minute := says("one", "max-age=60")
	two := says("two", "max-age=60")
	tagged := says("one", "max-age=60", [2]string{"ETag", `"1"`})
	notModified := reply{status: 304, headers: requests.Headers{{"ETag", `"1"`}, {"Cache-Control", "max-age=60"}, {"X-New", "1"}}}
	for _, c := range []struct {
		name    string
		options []Option
		steps   []step
	}{
		// 3: storing
		{"3: a fresh response is used", nil, []step{get(minute, "miss 200 one"), hit(59*time.Second, "hit 200 one"), {after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"3: no-store of the response", nil, []step{get(says("one", "no-store, max-age=60"), "miss 200 one"), get(two, "miss 200 two")}},
		{"3: no-store of the request", nil, []step{{send: control("no-store"), origin: minute, want: "miss 200 one", asked: "GET"}, get(two, "miss 200 two")}},
		{"3: no-store in any case, after blanks", nil, []step{get(says("one", "max-age=60 ,  No-Store"), "miss 200 one"), get(two, "miss 200 two")}},
		{"3: a directive in a quoted string is none", nil, []step{get(says("one", `x="no-store, no-cache", max-age=60`), "miss 200 one"), hit(0, "hit 200 one")}},
		{"3: private, in a private cache", nil, []step{get(says("one", "private, max-age=60"), "miss 200 one"), hit(0, "hit 200 one")}},
		{"3: private, in a shared cache", shared, []step{get(says("one", "private, max-age=60"), "miss 200 one"), get(two, "miss 200 two")}},
		{"3: private with names, in a shared cache", shared, []step{get(says("one", `private="set-cookie", max-age=60`), "miss 200 one"), get(two, "miss 200 two")}},
		{"3: nothing said", nil, []step{get(reply{status: 500, body: "one"}, "miss 500 one"), get(two, "miss 200 two")}},
		{"3: any final status that is allowed", nil, []step{get(reply{status: 599, headers: control("max-age=60"), body: "one"}, "miss 599 one"), hit(0, "hit 599 one")}},
		{"3: must-understand, understood", nil, []step{get(says("one", "must-understand, no-store, max-age=60"), "miss 200 one"), hit(0, "hit 200 one")}},
		{"3: must-understand, not understood", nil, []step{get(reply{status: 299, headers: control("must-understand, max-age=60"), body: "one"}, "miss 299 one"), get(two, "miss 200 two")}},
		{"3: a part is not a response", nil, []step{
			{send: requests.Headers{{"Range", "bytes=0-1"}}, origin: reply{status: 206, headers: requests.Headers{{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-1/3"}}, body: "on"}, want: "miss 206 on", asked: "GET Range: bytes=0-1"},
			get(two, "miss 200 two")}},
		{"3: that there is no such part is not a response", nil, []step{
			{send: requests.Headers{{"Range", "bytes=9-"}}, origin: reply{status: 416, headers: requests.Headers{{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes */3"}}}, want: "miss 416", asked: "GET Range: bytes=9-"},
			get(two, "miss 200 two")}},
		{"3: a body cut short", nil, []step{get(says("on", "max-age=60", [2]string{"Content-Length", "3"}), "miss 200 on"), get(two, "miss 200 two")}},
		{"3: POST is not stored", nil, []step{{method: "POST", origin: minute, want: "uncached 200 one", asked: "POST"}, get(two, "miss 200 two")}},
		{"3.5: Authorization, in a shared cache", shared, []step{
			{send: requests.Headers{{"Authorization", "a"}}, origin: minute, want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"Authorization", "a"}}, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"3.5: public", shared, []step{{send: requests.Headers{{"Authorization", "a"}}, origin: says("one", "public, max-age=60"), want: "miss 200 one", asked: "GET"}, hit(0, "hit 200 one")}},
		{"3.5: must-revalidate", shared, []step{{send: requests.Headers{{"Authorization", "a"}}, origin: says("one", "must-revalidate, max-age=60"), want: "miss 200 one", asked: "GET"}, hit(0, "hit 200 one")}},
		{"3.5: s-maxage", shared, []step{{send: requests.Headers{{"Authorization", "a"}}, origin: says("one", "s-maxage=60"), want: "miss 200 one", asked: "GET"}, hit(0, "hit 200 one")}},
		{"Authorization tells users of a private cache apart", nil, []step{
			{send: requests.Headers{{"Authorization", "a"}}, origin: minute, want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"Authorization", "b"}}, origin: two, want: "miss 200 two", asked: "GET"},
			get(says("three", "max-age=60"), "miss 200 three"),
			{send: requests.Headers{{"Authorization", "a"}}, want: "hit 200 one"},
			{send: requests.Headers{{"Authorization", "b"}}, want: "hit 200 two"},
			hit(0, "hit 200 three")}},
		{"so do cookies and keys", nil, []step{
			{send: requests.Headers{{"Cookie", "a=1"}}, origin: minute, want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"cookie", "a=2"}}, origin: two, want: "miss 200 two", asked: "GET"},
			{send: requests.Headers{{"X-Api-Key", "a=1"}}, origin: says("three", "max-age=60"), want: "miss 200 three", asked: "GET"},
			{send: requests.Headers{{"COOKIE", "a=1"}}, want: "hit 200 one"},
			{send: requests.Headers{{"x-api-key", "a=1"}}, want: "hit 200 three"}}},
		{"public is for all, whoever asks first", nil, []step{
			{send: requests.Headers{{"Authorization", "a"}}, origin: says("one", "public, max-age=60"), want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"Cookie", "b"}}, want: "hit 200 one"}, hit(0, "hit 200 one"),
			{path: "b", origin: says("two", "public, max-age=60"), want: "miss 200 two", asked: "GET"},
			{path: "b", send: requests.Headers{{"Authorization", "a"}}, want: "hit 200 two"}}},
		{"public, and Vary", nil, []step{
			{send: requests.Headers{{"Authorization", "a"}, {"Accept", "x"}}, origin: says("one", "public, max-age=60", [2]string{"Vary", "Accept"}), want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"Authorization", "b"}, {"Accept", "y"}}, origin: says("two", "max-age=60", [2]string{"Vary", "Accept"}), want: "miss 200 two", asked: "GET"},
			{send: requests.Headers{{"Authorization", "c"}, {"Accept", "x"}}, want: "hit 200 one"},
			{send: requests.Headers{{"Authorization", "c"}, {"Accept", "y"}}, origin: minute, want: "miss 200 one", asked: "GET"}}},
		{"a cookie, in a shared cache", shared, []step{
			{send: requests.Headers{{"Cookie", "a"}}, origin: minute, want: "miss 200 one", asked: "GET"},
			get(two, "miss 200 two"),
			{send: requests.Headers{{"Cookie", "a"}}, origin: says("three", ""), want: "miss 200 three", asked: "GET"}}},
		{"2: one URL, however it is spelled", nil, []step{
			{path: "http://origin.test/a?b", origin: minute, want: "miss 200 one", asked: "GET"},
			{path: "HTTP://Origin.Test:80/a?b#c", want: "hit 200 one"},
			{path: "http://origin.test/%61?b", want: "hit 200 one"},
			{path: "http://origin.test:81/a?b", origin: two, want: "miss 200 two", asked: "GET"},
			{path: "https://origin.test/a?b", origin: two, want: "miss 200 two", asked: "GET"}}},
		{"3: Content-Range says nothing beside 200", nil, []step{get(says("one", "max-age=60", [2]string{"Content-Range", "x"}), "miss 200 one"), hit(0, "hit 200 one")}},

		// 4.1: Vary
		{"4.1: Vary", nil, []step{
			{send: requests.Headers{{"Accept", "a,  b"}}, origin: says("one", "max-age=60", [2]string{"Vary", "accept"}), want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"Accept", "c"}}, origin: says("two", "max-age=60", [2]string{"Vary", "Accept"}), want: "miss 200 two", asked: "GET"},
			get(says("none", "max-age=60", [2]string{"Vary", "Accept"}), "miss 200 none"),
			{send: requests.Headers{{"Accept", "a"}, {"Accept", "b"}}, want: "hit 200 one"},
			{send: requests.Headers{{"Accept", "c"}}, want: "hit 200 two"},
			hit(0, "hit 200 none")}},
		{"4.1: Vary: *", nil, []step{get(says("one", "max-age=60", [2]string{"Vary", "Accept, *"}), "miss 200 one"), get(two, "miss 200 two")}},
		{"4.1: a Vary that grows", nil, []step{
			{send: requests.Headers{{"A", "1"}}, origin: says("one", "max-age=60", [2]string{"Vary", "a"}), want: "miss 200 one", asked: "GET"},
			{send: requests.Headers{{"A", "2"}, {"B", "1"}}, origin: says("two", "max-age=60", [2]string{"Vary", "b"}), want: "miss 200 two", asked: "GET"},
			{send: requests.Headers{{"A", "2"}, {"B", "2"}}, origin: says("three", "max-age=60"), want: "miss 200 three", asked: "GET"},
			{send: requests.Headers{{"A", "2"}, {"B", "1"}}, want: "hit 200 two"}}},

		// 4.2: freshness
		{"4.2.1: Expires", nil, []step{get(expires("one", 60*time.Second), "miss 200 one"), hit(59*time.Second, "hit 200 one"), {after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"4.2.1: max-age wins over Expires", nil, []step{get(says("one", "max-age=60", [2]string{"Expires", "0"}), "miss 200 one"), hit(0, "hit 200 one")}},
		{"4.2.1: Expires that is no date", nil, []step{get(says("one", "", [2]string{"Expires", "0"}), "miss 200 one"), get(two, "miss 200 two")}},
		{"4.2.1: Expires twice", nil, []step{get(says("one", "", [2]string{"Expires", "Fri, 31 Dec 2100 23:59:59 GMT"}, [2]string{"Expires", "Fri, 31 Dec 2100 23:59:59 GMT"}), "miss 200 one"), get(two, "miss 200 two")}},
		{"4.2.1: Expires that is nearly a date", nil, []step{get(says("one", "", [2]string{"Expires", "Fri, 31  Dec 2100 23:59:59 GMT"}), "miss 200 one"), get(two, "miss 200 two")}},
		{"4.2.1: max-age that is no number", nil, []step{get(says("one", "max-age=60.5"), "miss 200 one"), get(two, "miss 200 two")}},
		{"4.2.1: max-age below 0", nil, []step{get(says("one", "max-age=-1"), "miss 200 one"), get(two, "miss 200 two")}},
		{"1.2.2: max-age beyond every number", nil, []step{get(says("one", "max-age=99999999999999999999"), "miss 200 one"), hit(10000*time.Hour, "hit 200 one")}},
		{"4.2.1: max-age in quotes", nil, []step{get(says("one", `max-age="60"`), "miss 200 one"), hit(0, "hit 200 one")}},
		{"4.2.1: s-maxage, in a shared cache", shared, []step{get(says("one", "s-maxage=60, max-age=1"), "miss 200 one"), hit(59*time.Second, "hit 200 one")}},
		{"4.2.1: s-maxage, in a private cache", nil, []step{get(says("one", "s-maxage=60, max-age=1"), "miss 200 one"), {after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"4.2.3: Age counts", nil, []step{get(says("one", "max-age=60", [2]string{"Age", "50"}), "miss 200 one"), hit(9*time.Second, "hit 200 one"), {after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.1: of several the first", nil, []step{get(says("one", "max-age=60", [2]string{"Age", "60, 0"}, [2]string{"Age", "0"}), "miss 200 one"), get(two, "miss 200 two")}},
		{"5.1: an Age that is no number", nil, []step{get(says("one", "max-age=60", [2]string{"Age", "-7200"}), "miss 200 one"), hit(59*time.Second, "hit 200 one")}},
		{"4.2.3: so does an old Date", nil, []step{get(dated("one", -50*time.Second), "miss 200 one"), hit(9*time.Second, "hit 200 one"), {after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.2.4: no-cache", nil, []step{get(says("one", "no-cache, max-age=60", [2]string{"ETag", `"1"`}), "miss 200 one"), {origin: notModified, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`}}},

		// 4.3: validation
		{"4.3: stale, and the same", nil, []step{get(tagged, "miss 200 one"), {after: time.Minute, origin: notModified, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`}, hit(59*time.Second, "hit 200 one")}},
		{"4.3: stale, and another", nil, []step{get(tagged, "miss 200 one"), {after: time.Minute, origin: two, want: "miss 200 two", asked: `GET If-None-Match: "1"`}, hit(0, "hit 200 two")}},
		{"4.3: stale, and not to be stored", nil, []step{get(tagged, "miss 200 one"), {after: time.Minute, origin: says("two", "no-store"), want: "miss 200 two", asked: `GET If-None-Match: "1"`}, get(two, "miss 200 two")}},
		{"4.3.3: a server error is passed on", nil, []step{get(tagged, "miss 200 one"), {after: time.Minute, origin: reply{status: 503, body: "no"}, want: "miss 503 no", asked: `GET If-None-Match: "1"`}}},
		{"4.3.4: a 304 that forbids storing", nil, []step{get(tagged, "miss 200 one"),
			{after: time.Minute, origin: reply{status: 304, headers: requests.Headers{{"ETag", `"1"`}, {"Cache-Control", "no-store, max-age=60"}}}, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`},
			get(two, "miss 200 two")}},
		{"4.3.4: a 304 with Vary: *", nil, []step{get(tagged, "miss 200 one"),
			{after: time.Minute, origin: reply{status: 304, headers: requests.Headers{{"ETag", `"1"`}, {"Cache-Control", "max-age=60"}, {"Vary", "*"}}}, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`},
			get(two, "miss 200 two")}},
		{"4.3.4: a 304 with private, in a shared cache", shared, []step{get(tagged, "miss 200 one"),
			{after: time.Minute, origin: reply{status: 304, headers: requests.Headers{{"ETag", `"1"`}, {"Cache-Control", "private, max-age=60"}}}, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`},
			get(two, "miss 200 two")}},
		{"4.3.5: a HEAD that forbids storing", nil, []step{get(tagged, "miss 200 one"),
			{after: time.Minute, method: "HEAD", origin: reply{headers: requests.Headers{{"ETag", `"1"`}, {"Cache-Control", "no-store, max-age=60"}}}, want: "miss 200", asked: "HEAD"},
			get(two, "miss 200 two")}},
		{"4.2.3: a Date before all time is old", nil, []step{
			get(says("one", "max-age=60", [2]string{"Date", "Mon, 01 Jan 0001 00:00:00 GMT"}), "miss 200 one"),
			{after: time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"4.2.3: ages and times that are all too large", nil, []step{
			get(says("one", "max-age=1, stale-while-revalidate=0", [2]string{"Date", "Mon, 01 Jan 0001 00:00:00 GMT"}, [2]string{"Age", "99999999999999999999"}), "miss 200 one"),
			{after: time.Hour, send: control("min-fresh=99999999999999999999"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"4.3.4: a 304 about another response", nil, []step{get(tagged, "miss 200 one"), {after: time.Minute, origin: reply{status: 304, headers: requests.Headers{{"ETag", `"2"`}}}, want: "miss 304", asked: `GET If-None-Match: "1", GET`}}},
		{"4.3.2: the caller's If-None-Match", nil, []step{get(tagged, "miss 200 one"),
			{send: requests.Headers{{"If-None-Match", `"0", W/"1"`}}, want: "hit 304"},
			{send: requests.Headers{{"If-None-Match", "*"}}, want: "hit 304"},
			{send: requests.Headers{{"If-None-Match", `"2"`}, {"If-Modified-Since", "Fri, 31 Dec 2100 23:59:59 GMT"}}, want: "hit 200 one"}}},
		{"4.3.2: the caller's If-Modified-Since", nil, []step{get(says("one", "max-age=60", [2]string{"Last-Modified", "Fri, 01 Jan 1999 00:00:00 GMT"}), "miss 200 one"),
			{send: requests.Headers{{"If-Modified-Since", "Fri, 01 Jan 1999 00:00:00 GMT"}}, want: "hit 304"},
			{send: requests.Headers{{"If-Modified-Since", "Thu, 31 Dec 1998 23:59:59 GMT"}}, want: "hit 200 one"},
			{send: requests.Headers{{"If-Modified-Since", "never"}}, want: "hit 200 one"}}},
		{"4.3.2: conditions for the server", nil, []step{get(tagged, "miss 200 one"), {send: requests.Headers{{"If-Match", `"1"`}}, origin: two, want: "uncached 200 two", asked: "GET"}}},
		{"4.3.1: the caller's conditions are sent as they are", nil, []step{get(tagged, "miss 200 one"),
			{after: time.Minute, send: requests.Headers{{"If-None-Match", `"0"`}}, origin: reply{status: 304, headers: requests.Headers{{"ETag", `"0"`}}}, want: "miss 304", asked: `GET If-None-Match: "0"`}}},
		{"4.3.5: HEAD", nil, []step{get(tagged, "miss 200 one"), {method: "HEAD", want: "hit 200"},
			{after: time.Minute, method: "HEAD", origin: says("", "max-age=60", [2]string{"ETag", `"1"`}), want: "miss 200", asked: "HEAD"}, hit(0, "hit 200 one"),
			{after: time.Minute, method: "HEAD", origin: says("", "max-age=60", [2]string{"ETag", `"2"`}), want: "miss 200", asked: "HEAD"}, get(two, "miss 200 two")}},

		// 4.4: invalidation
		{"4.4: a method that changes something", nil, []step{get(minute, "miss 200 one"), {method: "PUT", origin: says("done", ""), want: "uncached 200 done", asked: "PUT"}, get(two, "miss 200 two")}},
		{"4.4: a method nobody knows", nil, []step{get(minute, "miss 200 one"), {method: "FROB", origin: says("done", ""), want: "uncached 200 done", asked: "FROB"}, get(two, "miss 200 two")}},
		{"4.4: all variants", nil, []step{
			{send: requests.Headers{{"Accept", "a"}}, origin: says("one", "max-age=60", [2]string{"Vary", "accept"}), want: "miss 200 one", asked: "GET"},
			{method: "DELETE", origin: says("done", ""), want: "uncached 200 done", asked: "DELETE"},
			{send: requests.Headers{{"Accept", "b"}}, origin: says("two", "max-age=60", [2]string{"Vary", "accept"}), want: "miss 200 two", asked: "GET"},
			{send: requests.Headers{{"Accept", "a"}}, origin: says("three", "max-age=60", [2]string{"Vary", "accept"}), want: "miss 200 three", asked: "GET"}}},
		{"4.4: not after a failure", nil, []step{get(minute, "miss 200 one"), {method: "PUT", origin: reply{status: 500, body: "no"}, want: "uncached 500 no", asked: "PUT"}, hit(0, "hit 200 one")}},
		{"4.4: not by a safe method", nil, []step{get(minute, "miss 200 one"), {method: "OPTIONS", origin: says("x", ""), want: "uncached 200 x", asked: "OPTIONS"}, hit(0, "hit 200 one")}},
		{"4.4: Location and Content-Location", nil, []step{
			{path: "a", origin: minute, want: "miss 200 one", asked: "GET"}, {path: "b", origin: minute, want: "miss 200 one", asked: "GET"},
			{method: "POST", origin: reply{status: 201, headers: requests.Headers{{"Location", "/a"}, {"Content-Location", "http://origin.test/b"}}}, want: "uncached 201", asked: "POST"},
			{path: "a", origin: two, want: "miss 200 two", asked: "GET"}, {path: "b", origin: two, want: "miss 200 two", asked: "GET"}}},
		{"4.4: not those of another origin", nil, []step{
			{path: "a", origin: minute, want: "miss 200 one", asked: "GET"},
			{method: "POST", origin: reply{status: 201, headers: requests.Headers{{"Location", "http://other.test/a"}}}, want: "uncached 201", asked: "POST"},
			{path: "a", want: "hit 200 one"}}},
		{"4.4: another origin loses nothing", nil, []step{
			{path: "http://other.test/a", origin: minute, want: "miss 200 one", asked: "GET"},
			{method: "POST", origin: reply{status: 201, headers: requests.Headers{{"Location", "http://other.test/a"}, {"Content-Location", "//other.test/a"}}}, want: "uncached 201", asked: "POST"},
			{path: "http://other.test/a", want: "hit 200 one"}}},
		{"4.4: however the URL is spelled", nil, []step{
			{path: "a/b", origin: minute, want: "miss 200 one", asked: "GET"},
			{path: "a/c", method: "POST", origin: reply{status: 201, headers: requests.Headers{{"Location", "HTTP://ORIGIN.test:80/a/%62"}}}, want: "uncached 201", asked: "POST"},
			{path: "a/b", origin: two, want: "miss 200 two", asked: "GET"},
			{path: "a/c", method: "POST", origin: reply{status: 201, headers: requests.Headers{{"Location", "b"}}}, want: "uncached 201", asked: "POST"},
			{path: "a/b", origin: minute, want: "miss 200 one", asked: "GET"}}},

		// 5.2.1: directives of requests
		{"5.2.1.1: max-age", nil, []step{get(minute, "miss 200 one"), {after: 10 * time.Second, send: control("max-age=10"), want: "hit 200 one"}, {after: time.Second, send: control("max-age=10"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.1.1: max-age=0", nil, []step{get(minute, "miss 200 one"), {send: control("max-age=0"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.1.2: max-stale", nil, []step{get(minute, "miss 200 one"), {after: 70 * time.Second, send: control("max-stale=10"), want: "stale 200 one"}, {after: time.Second, send: control("max-stale=10"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.1.2: max-stale without a number", nil, []step{get(minute, "miss 200 one"), {after: 70 * time.Hour, send: control("max-stale"), want: "stale 200 one"}}},
		{"5.2.2.2: must-revalidate wins over max-stale", nil, []step{get(says("one", "max-age=60, must-revalidate"), "miss 200 one"), {after: 70 * time.Second, send: control("max-stale"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.2.8: proxy-revalidate, in a shared cache", shared, []step{get(says("one", "max-age=60, proxy-revalidate"), "miss 200 one"), {after: 70 * time.Second, send: control("max-stale"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.2.10: so does s-maxage", shared, []step{get(says("one", "s-maxage=60"), "miss 200 one"), {after: 70 * time.Second, send: control("max-stale"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.1.3: min-fresh", nil, []step{get(minute, "miss 200 one"), {after: 49 * time.Second, send: control("min-fresh=10"), want: "hit 200 one"}, {after: time.Second, send: control("min-fresh=10"), origin: two, want: "miss 200 two", asked: "GET"}}},
		{"5.2.1.4: no-cache", nil, []step{get(tagged, "miss 200 one"), {send: control("no-cache"), origin: notModified, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`}}},
		{"5.4: Pragma", nil, []step{get(tagged, "miss 200 one"), {send: requests.Headers{{"Pragma", "no-cache"}}, origin: notModified, want: "revalidated 200 one", asked: `GET If-None-Match: "1"`},
			{send: requests.Headers{{"Pragma", "no-cache"}, {"Cache-Control", "max-age=60"}}, want: "hit 200 one"}}},
		{"5.2.1.7: only-if-cached", nil, []step{{send: control("only-if-cached"), want: "miss 504"}, get(minute, "miss 200 one"), {send: control("only-if-cached"), want: "hit 200 one"}}},

		// RFC 5861
		{"stale-while-revalidate", nil, []step{get(says("one", "max-age=60, stale-while-revalidate=10"), "miss 200 one"),
			{after: 69 * time.Second, origin: two, want: "stale 200 one", asked: "GET"}, hit(0, "hit 200 two")}},
		{"stale-while-revalidate, and too late", nil, []step{get(says("one", "max-age=60, stale-while-revalidate=10"), "miss 200 one"), {after: 70 * time.Second, origin: two, want: "miss 200 two", asked: "GET"}}},
		{"stale-if-error of the response", nil, []step{get(says("one", "max-age=60, stale-if-error=10"), "miss 200 one"),
			{after: 70 * time.Second, origin: reply{status: 502}, want: "stale 200 one", asked: "GET"}, {origin: down, want: "stale 200 one", asked: "GET"},
			{after: time.Second, origin: down, want: "error", asked: "GET"}}},
		{"stale-if-error of the request", nil, []step{get(minute, "miss 200 one"), {after: 70 * time.Second, send: control("stale-if-error=10"), origin: down, want: "stale 200 one", asked: "GET"}}},
		{"stale-if-error, and 501", nil, []step{get(says("one", "max-age=60, stale-if-error=10"), "miss 200 one"), {after: 70 * time.Second, origin: reply{status: 501}, want: "miss 501", asked: "GET"}}},
		{"must-revalidate wins over stale-if-error", nil, []step{get(says("one", "max-age=60, stale-if-error=10, must-revalidate"), "miss 200 one"), {after: 70 * time.Second, origin: down, want: "error", asked: "GET"}}},
		{"without stale-if-error a failure is one", nil, []step{get(minute, "miss 200 one"), {after: 70 * time.Second, origin: down, want: "error", asked: "GET"}}},

		// ranges
		{"RFC 9110 14: parts of what is stored", nil, []step{get(says("0123456789", "max-age=60", [2]string{"ETag", `"1"`}), "miss 200 0123456789"),
			{send: requests.Headers{{"Range", "bytes=2-3"}}, want: "hit 206 23"}, {send: requests.Headers{{"Range", "bytes=8-99"}}, want: "hit 206 89"},
			{send: requests.Headers{{"Range", "bytes=-3"}}, want: "hit 206 789"}, {send: requests.Headers{{"Range", "bytes=7-"}}, want: "hit 206 789"},
			{send: requests.Headers{{"Range", "bytes=10-"}}, want: "hit 416"}, {send: requests.Headers{{"Range", "bytes=1-2"}, {"If-Range", `"1"`}}, want: "hit 206 12"},
			{send: requests.Headers{{"Range", "bytes=1-2"}, {"If-Range", `W/"1"`}}, want: "hit 200 0123456789"},
			{send: requests.Headers{{"Range", "bytes=0-1,4-5"}}, origin: two, want: "miss 200 two", asked: "GET Range: bytes=0-1,4-5"}}},
	} {
		t.Run(c.name, func(t *testing.T) { tell(t, c.options, c.steps...) })
	}
}

// expires and dated have dates of the clock of the stories, which begins in 2000.
func expires(body string, in time.Duration) reply {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return reply{headers: requests.Headers{{"Expires", start.Add(in).Format(http.TimeFormat)}}, body: body}
}

func dated(body string, ago time.Duration) reply {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return says(body, "max-age=60", [2]string{"Date", start.Add(ago).Format(http.TimeFormat)})
}
