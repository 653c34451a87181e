package secret

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestIs has secrets in the spellings people use, and harmless names that look like them.
func TestIs(t *testing.T) {
	secrets := `passphrase otp pin code_verifier code-verifier codeVerifier CodeVerifier credentials x-signature X-Amz-Signature
		awsaccesskeyid AWSAccessKeyId subscription-key Ocp-Apim-Subscription-Key subscription_key csrf csrf_token X-CSRF-Token
		csrfmiddlewaretoken functions-key x-functions-key xsrf X-XSRF-TOKEN password passwd user_password newPassword password2
		pwd user-pwd secret client_secret clientSecret CLIENT_SECRET clientsecret token access_token accessToken accesstoken
		refresh-token id_token auth-token X-Auth-Token PRIVATE-TOKEN api_key apikey apiKey API-KEY x-api-key X-API-Key xapikey
		access_key accessKey secret_key private_key privateKey authorization Authorization proxy-authorization cookie Set-Cookie
		key code sig signature sid session session_id sessionId JSESSIONID PHPSESSID jwt assertion client_assertion credential
		X-Amz-Credential X-Goog-Signature X-Amz-Security-Token user_pass db-pass auth X-Auth oauth_token oauth_signature
		user[password] data.secret login.otp device_code authorization_code account_key encryption_key`
	harmless := `pinterest spinner shipping tokenizer tokens_used_total pinned keyboard monkey key_id primary_key foreign_key keyword
		code_point status_code zip_code postcode country_code encode decoder author authority authors passenger compass bypass
		passage sessions_count signal design assign signup signed cookies_enabled cookie_policy q page id name user username
		email hotpot laptop option content-type accept user-agent x-request-id etag location secretary`
	check := func(names string, want bool) {
		for _, name := range strings.Fields(names) {
			if Is(name) != want {
				t.Errorf("%q is secret: %t, want %t", name, !want, want)
			}
		}
	}
	check(secrets, true)
	check(harmless, false)
}

// TestAdd adds names to a value and to the process.
func TestAdd(t *testing.T) {
	t.Cleanup(func() { process.Store(nil) })
	own := Default().With("Tenant-Code", "x_blob")
	Add("fiscalNumber")
	got := []bool{own.Is("tenantCode"), own.Is("XBlob"), own.Is("fiscal_number"), Is("fiscal_number"), Is("tenantCode"), own.Is("token"), None().Is("token")}
	if diff := cmp.Diff([]bool{true, true, false, true, false, true, false}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestText(t *testing.T) {
	n := Default()
	body := func(kind string) func(string) string {
		return func(s string) string { return string(n.Body(kind, []byte(s))) }
	}
	field := func(name string) func(string) string { return func(s string) string { return n.Field(name, s) } }
	tests := []struct {
		f        func(string) string
		in, want string
	}{
		{URL, "https://ada:pw@h.test/x?q=1&token=abc#access_token=z&a=1", "https://***@h.test/x?q=1&token=***#access_token=***&a=1"},
		{URL, "http://ada:p/w@h.test/", "http://***@h.test/"},
		{URL, `https:\\ada:pw@h.test/`, `https:\\***@h.test/`},
		{URL, "//ada@h.test", "//***@h.test"},
		{URL, "http://h.test/a@b", "http://h.test/a@b"},
		{URL, "http://[::1]:80/?client%5Fsecret=s", "http://[::1]:80/?client%5Fsecret=***"},
		{URL, "http://h.test/?token=&a=", "http://h.test/?token=&a="},
		{URL, "http://h.test/?" + strings.Repeat("a", 3000), "http://h.test/?" + strings.Repeat("a", 2033) + "..."},
		{n.Pairs, "a=1&password=x;otp=2&plain", "a=1&password=***;otp=***&plain"},
		{field("Authorization"), "Bearer abc", "Bearer ***"},
		{field("authorization"), "rawtoken", "***"},
		{field("Cookie"), "a=1; b=2", "a=***; b=***"},
		{field("Set-Cookie"), "a=1; Path=/", "a=***; Path=/"},
		{field("Authorization"), "S3 CRET", "***"},
		{field("Cookie"), "a=1;b=2; c", "a=***;b=***;***"},
		{field("Set-Cookie"), "S3CRET; Path=/", "***; Path=/"},
		{field("Location"), "/x?code=1", "/x?code=***"},
		{field("Location"), "/?%74oken=x&%zz=y", "/?%74oken=***&%zz=***"},
		{field("X-Api-Key"), "k", "***"},
		{field("X-Plain"), "k", "k"},
		{body("application/json"), `{"user": "ada", "password": "p\"w", "n": {"otp": 123456, "code": "x"}, "token":true}`, `{"user": "ada", "password": "***", "n": {"otp": "***", "code": "x"}, "token":"***"}`},
		{body("application/json"), `{"password": "cut o`, `{"password": "***"`},
		{body("application/x-www-form-urlencoded"), "user=a&pin=1", "user=a&pin=***"},
		{body("multipart/form-data; boundary=b"), "--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n1234\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n",
			"--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n***\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n"},
		{body("text/plain"), "password=x", "password=x"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.f(test.in)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", test.in, diff)
		}
	}
}

// TestRule39Redact has user information in every place where a parser may find it.
func TestRule39Redact(t *testing.T) {
	for _, s := range []string{
		"http://ada:sesame@h/", "http://ada:sesame@", "//ada:sesame@h", "ada:sesame@h:80", "http://ada:ses@sesame@h/",
		`http://h\ada:sesame@h/`, "http://ada:sesame@[::1/", "http://ada:sesame@h:x/", "HTTP://ada:sesame@h\r\n/", "ada:sesame@ h",
		"http:/ada:sesame@h/", "http:///ada:sesame@h/", `http:\\ada:sesame@h/`, "http://ada:ses/sesame@h/", "http://ada:ses?sesame@h/",
		" http://ada:sesame@h/", "x\thttp://ada:sesame@h/",
	} {
		if got := URL(s); strings.Contains(got, "sesame") || strings.Contains(got, "ada") {
			t.Errorf("URL(%q) = %q", s, got)
		}
	}
}

func TestRule39RedactQuery(t *testing.T) {
	for s, want := range map[string]string{
		"http://h/?a=1&token=sesame&b=2#f":     "http://h/?a=1&token=***&b=2#f",
		"http://h/?Access_Token=sesame":        "http://h/?Access_Token=***",
		"http://h/?api%5fkey=sesame&api-key=":  "http://h/?api%5fkey=***&api-key=",
		"http://h/?X-Amz-Signature=a=b":        "http://h/?X-Amz-Signature=***",
		"http://h/?a=1;password=sesame":        "http://h/?a=1;password=***",
		"http://h/#access_token=sesame&x=1":    "http://h/#access_token=***&x=1",
		"http://h/?x#a?token=sesame":           "http://h/?x#a?token=***",
		"http://h/?k=1&key=sesame&code=sesame": "http://h/?k=1&key=***&code=***",
		"http://h/?accessToken=sesame":         "http://h/?accessToken=***",
		"http://h/a@b/?keys=1":                 "http://h/a@b/?keys=1",
	} {
		if diff := cmp.Diff(want, URL(s)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", s, diff)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"http://u:sesame@h/", "//u:sesame@h?x", "http:/\\u:sesame@h:80/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = URL(s)
		_ = Default().Body("application/json", []byte(s))
		_ = Default().Body("multipart/x", []byte(s))
		_ = Default().Field("Authorization", s)
	})
}
