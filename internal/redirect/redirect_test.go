package redirect

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMethod: for every status and method, the next method and whether the body goes along.
func TestMethod(t *testing.T) {
	var got []string
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "QUERY"} {
			next, body := Method(method, status)
			likeRequests, bodyLikeRequests := MethodAsRequests(method, status)
			got = append(got, fmt.Sprint(status, " ", method, ": ", next, " ", body, ", ", likeRequests, " ", bodyLikeRequests))
		}
	}
	want := []string{
		"301 GET: GET true, GET false", "301 HEAD: HEAD true, HEAD false", "301 POST: GET false, GET false", "301 PUT: PUT true, PUT false", "301 QUERY: QUERY true, QUERY false",
		"302 GET: GET true, GET false", "302 HEAD: HEAD true, HEAD false", "302 POST: GET false, GET false", "302 PUT: PUT true, GET false", "302 QUERY: QUERY true, GET false",
		"303 GET: GET false, GET false", "303 HEAD: HEAD false, HEAD false", "303 POST: GET false, GET false", "303 PUT: GET false, GET false", "303 QUERY: GET false, GET false",
		"307 GET: GET true, GET true", "307 HEAD: HEAD true, HEAD true", "307 POST: POST true, POST true", "307 PUT: PUT true, PUT true", "307 QUERY: QUERY true, QUERY true",
		"308 GET: GET true, GET true", "308 HEAD: HEAD true, HEAD true", "308 POST: POST true, POST true", "308 PUT: PUT true, PUT true", "308 QUERY: QUERY true, QUERY true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("next requests (-want +got):\n%s", diff)
	}
}
