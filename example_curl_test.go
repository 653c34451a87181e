package requests_test

import (
	"fmt"

	"github.com/mountable/requests"
)

func ExampleAsCurl() {
	r := requests.Request{Method: "POST", URL: "https://h.example/users", JSON: map[string]string{"name": "ada"}, Auth: requests.BearerAuth("s3cret"),
		Headers: requests.Headers{{"User-Agent", "me/1.0"}, {"Accept", "*/*"}}}
	p, err := r.Prepare()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(requests.AsCurl(p))
	fmt.Println(requests.AsCurl(p, requests.CurlSecrets))
	// Output:
	// curl https://h.example/users -H 'User-Agent: me/1.0' -H 'Accept: */*' -H 'Content-Type: application/json' -H 'Authorization: Bearer ***' -H Expect: --data-raw '{"name":"ada"}' # *** stands for a secret
	// curl https://h.example/users -H 'User-Agent: me/1.0' -H 'Accept: */*' -H 'Content-Type: application/json' -H 'Authorization: Bearer s3cret' -H Expect: --data-raw '{"name":"ada"}'
}

func ExampleFromCurl() {
	r, err := requests.FromCurl(`curl 'https://h.example/users?page=2' -H 'X-Team: search' --data-raw '{"name":"ada"}' -H 'Content-Type: application/json'`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Method, r.URL, r.Headers)
	_, err = requests.FromCurl("curl --http3 https://h.example/")
	fmt.Println(err)
	// Output:
	// POST https://h.example/users?page=2 [[X-Team search] [Content-Type application/json]]
	// the curl command cannot be used: the flag "--http3" is not known
}
