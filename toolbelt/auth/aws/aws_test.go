package aws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt/auth/aws"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// static are credentials that do not change.
func static(id, secret, token string) awssdk.CredentialsProvider {
	return awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

var (
	suite    = static("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
	examples = static("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
)

func prepare(t *testing.T, method, url string, options ...requests.Option) *requests.PreparedRequest {
	t.Helper()
	r := &requests.Request{Method: method, URL: url}
	if err := requests.JoinOptions(options...).Apply(r); err != nil {
		t.Fatal(err)
	}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestVectors are of AWS' test suite for the signature, and of the manual of S3.
func TestVectors(t *testing.T) {
	day2015, day2013 := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		credentials awssdk.CredentialsProvider
		service     string
		now         time.Time
		method, url string
		headers     requests.Headers
		want        string
	}{
		{suite, "service", day2015, "GET", "https://example.amazonaws.com/", nil, "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{suite, "service", day2015, "POST", "https://example.amazonaws.com/", nil, "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{suite, "service", day2015, "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", nil, "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{examples, "s3", day2013, "GET", "https://examplebucket.s3.amazonaws.com/?lifecycle", nil, "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{examples, "s3", day2013, "GET", "https://examplebucket.s3.amazonaws.com/test.txt", requests.Headers{{"Range", "bytes=0-9"}}, "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	} {
		a, err := aws.New(c.credentials, c.service, "us-east-1", aws.Clock(func() time.Time { return c.now }))
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, c.method, c.url, c.headers)
		if err := a.Authenticate(p); err != nil {
			t.Fatal(err)
		}
		_, got, _ := strings.Cut(p.Headers.Get("Authorization"), ", ")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s (-want +got)\n%s", c.method, c.url, diff)
		}
	}
}

// TestBodies: what can be read twice is signed, the rest only left out if that was asked for.
func TestBodies(t *testing.T) {
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	once := func() io.Reader { return io.MultiReader(strings.NewReader("hello")) }
	for _, c := range []struct {
		name    string
		url     string
		body    any
		options []aws.Option
		want    string
		err     error
	}{
		{"in memory", "https://h.test/", "hello", nil, hello, nil},
		{"a stream that can be read twice", "https://h.test/", strings.NewReader("hello"), nil, hello, nil},
		{"one that cannot", "https://h.test/", once(), nil, "", requests.ErrUnrewindableBody},
		{"one that is not signed", "https://h.test/", once(), []aws.Option{aws.UnsignedPayload()}, "UNSIGNED-PAYLOAD", nil},
		{"a query with a semicolon", "https://h.test/?b;c=1", "hello", nil, "", requests.ErrInvalidURL},
		{"one that is not signed, in the clear", "http://h.test/", once(), []aws.Option{aws.UnsignedPayload()}, "", requests.ErrInvalidArgument},
	} {
		a, err := aws.New(static("id", "hidden", "token"), "s3", "r", c.options...)
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, "PUT", c.url, requests.Body(c.body))
		if err := a.Authenticate(p); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if c.err != nil {
			continue
		}
		sent, err := io.ReadAll(p.OpenBody())
		got := []string{p.Headers.Get("X-Amz-Content-Sha256"), p.Headers.Get("X-Amz-Security-Token"), string(sent)}
		if diff := cmp.Diff([]string{c.want, "token", "hello"}, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.name, err, diff)
		}
		if text := fmt.Sprintf("%v %+v %#v %v %+v %#v %s", a, a, a, *a, *a, *a, *a); strings.Contains(text, "hidden") {
			t.Errorf("it shows %s", text)
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := aws.New(nil, "s3", "r"); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
	expired := errors.New("expired")
	a, err := aws.New(awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) { return awssdk.Credentials{}, expired }), "s3", "r")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Authenticate(prepare(t, "GET", "https://h.test/")); !errors.Is(err, expired) {
		t.Errorf("got %v", err)
	}
}

func Example() {
	gateway := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		fmt.Fprint(w, scheme)
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", gateway)
	auth, err := aws.New(static("id", "secret", ""), "execute-api", "eu-central-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := s.Get(context.Background(), "https://abc.execute-api.eu-central-1.amazonaws.com/prod/pets", requests.Authenticate(auth))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: AWS4-HMAC-SHA256 <nil>
}
