package secret

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// secretNames are secret wherever they stand.
var secretNames = strings.Fields(`
	password Password passWord PASSWORD user_password userPassword UserPassword user-password password2 newPassword dbpassword
	password_confirmation passwordHash passwd passwrd db_passwd pwd userPwd adminpwd pw pswd passphrase pass-phrase passPhrase
	keyPassphrase ssh_passphrase passcode pass db_pass dbPass userpass user[password] auth.password config:password
	secret client_secret clientSecret ClientSecret client-secret CLIENT_SECRET clientsecret secrets secretValue shared_secret
	token Token access_token accessToken AccessToken access-token ACCESS_TOKEN accesstoken id_token refreshToken refresh_tokens
	csrf_token csrftoken csrfmiddlewaretoken CSRFtoken csrf _csrf csrf-param X-CSRF-Token X-CSRFToken xsrf X-XSRF-TOKEN xsrfToken
	authenticity_token oauth_token oauthToken security_token X-Amz-Security-Token X-Vault-Token PRIVATE-TOKEN token_value session_token
	api_key apiKey APIKey apikey API_KEY api-key X-Api-Key x-apikey xApiKey x-goog-api-key X-RapidAPI-Key myApiKey api_keys apikey2
	access_key accessKey AccessKeyId AWSAccessKeyId awsaccesskeyid aws_access_key_id AWS_SECRET_ACCESS_KEY secretAccessKey secret_key
	private_key privateKey PrivateKey privatekey subscription-key subscription_key subscriptionKey Ocp-Apim-Subscription-Key
	ocpapimsubscriptionkey functions-key x-functions-key functionsKey FunctionsKey function_key account_key AccountKey SharedAccessKey
	master_key encryption_key signing_key X-Auth-Key session_key consumer_key
	otp OTP otpCode OTPCode otp_code sms_otp totp totp_code hotp pin PIN user_pin userPin cardPin pin_code pinCode PINCode newpin
	one_time_code mfa_code mfaCode 2fa_code 2faCode auth_code verification_code securityCode device_code deviceCode user_code
	code_verifier codeVerifier CodeVerifier code-verifier CODE_VERIFIER codeverifier authorization_code
	credential credentials Credentials aws_credentials userCredentials X-Amz-Credential credentialId
	signature Signature x-signature X-Signature XSignature xsignature X-Hub-Signature X-Hub-Signature-256 X-Amz-Signature x-goog-signature
	hmac_signature sig hmac jwt JWT id_jwt jwtToken assertion client_assertion clientAssertion SAMLResponse
	authorization Authorization Proxy-Authorization X-Forwarded-Authorization authorization2 auth X-Auth proxy_auth basicAuth bearer cookie Cookie
	Set-Cookie cookies session_id sessionId SessionID sessionid PHPSESSID JSESSIONID ASPSESSIONIDABCD ASP.NET_SessionId connect.sid
	connection_string connectionString cvv cvc id_token_hint signed_request macaroon macaroons passkey key_phrase seed_phrase
	recovery_phrase recovery_key deploy_key x-rapidapi-key x-mashape-key fastly-key two_factor_code unlock_code security_answer authorisation
	x-amz-server-side-encryption-customer-key`)

// pairNames are secret as parameters and headers only.
var pairNames = strings.Fields("key code session sid KEY x-session x_key Authentication-Info Proxy-Authentication-Info")

// harmlessNames are never secret.
var harmlessNames = strings.Fields(`
	name user username email id q page pinterest Pinterest spinner spin pinned ping opinion shipping shipping_code shippingKey mapping
	tokenizer tokenize tokenization tokenizerName tokens max_tokens total_tokens promptTokens tokens_used token_type tokenType token_count token_endpoint
	token_expires_in tokenExpiresAt secretary secretariat
	passenger passport compass bypass bypass_width trespass passive pass_rate passRate passthrough passwordless password_policy
	password_length author authors authority authentic authentication_method auth_type key_id keyboard userKeyboard user_keyboard keyword keywords
	monkey publicKey public_key primaryKey foreign_key idempotency-key Idempotency-Key partition_key sort_key cacheKey objectKey
	status_code statusCode country_code postalCode error_code zipcode barcode code_challenge codec encode decode
	signal design assign signed SignedHeaders signatureVersion SignatureMethod signature_algorithm sigalg sigAlg
	session_duration sessions obsession side sidecar hotpot laptop desktop hotplug otpauthority
	cookie_policy cookieConsent accept content-type Content-Length ETag Access-Control-Allow-Credentials accessControlAllowHeaders
	X-Amz-Date X-Amz-Algorithm X-Request-Id expires_in access accessed accessory credit hmacs asserted ssid`)

func TestNames(t *testing.T) {
	l := Default()
	check := func(names []string, want [2]bool) {
		t.Helper()
		for _, name := range names {
			if diff := cmp.Diff(want, [2]bool{l.field(name), l.Is(name)}); diff != "" {
				t.Errorf("%s as a field and as a pair (-want +got):\n%s", name, diff)
			}
		}
	}
	check(secretNames, [2]bool{true, true})
	check(pairNames, [2]bool{false, true})
	check(harmlessNames, [2]bool{})
	check([]string{"", "-", "123", "\xff"}, [2]bool{})
}

// Every secret name stays one however its words are joined, and with words before it.
func TestSpellings(t *testing.T) {
	l := Default()
	for _, name := range secretNames {
		parts := words(name)
		var camel strings.Builder
		for _, w := range parts {
			camel.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
		spellings := []string{strings.Join(parts, "-"), strings.Join(parts, "_"), strings.Join(parts, "."), camel.String(), "my_" + name,
			"X-" + name, "my" + camel.String(), strings.ToUpper(strings.Join(parts, "_")), " " + name + " ", name + "1"}
		for _, s := range spellings {
			if !l.field(s) {
				t.Errorf("%s, that is %s, is not secret", s, name)
			}
		}
	}
}

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

func TestAdd(t *testing.T) {
	t.Cleanup(func() { added.Store(nil) })
	mine := Default().With("X-Corp-Ticket")
	l := Default()
	got := []bool{l.field("corp_badge"), l.field("xCorpTicket"), mine.field("xCorpTicket"), None().field("password"), None().Is("key")}
	var wait sync.WaitGroup
	for _, name := range []string{"Corp-Badge", "Corp-Door"} {
		wait.Go(func() { Add(name, "") })
		wait.Go(func() { l.field(name) })
	}
	wait.Wait()
	got = append(got, l.field("corpBadge"), mine.field("corp_badge"), l.field("CORP_DOOR"), None().field("corp_badge"), l.field(""))
	want := []bool{false, false, true, false, false, true, true, true, false, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRule39RedactQuery(t *testing.T) {
	for s, want := range map[string]string{
		"":                                     "",
		"http://h/":                            "http://h/",
		"http://ada:x@h/a":                     "http://***@h/a",
		"http://h/a@b":                         "http://h/a@b",
		"//u@h":                                "//***@h",
		"http://h/?a=1&token=x&b=2#f":          "http://h/?a=1&token=***&b=2#f",
		"http://h/?Access_Token=x":             "http://h/?Access_Token=***",
		"http://h/?api%5fkey=x&api-key=":       "http://h/?api%5fkey=***&api-key=",
		"http://h/?X-Amz-Signature=a=b":        "http://h/?X-Amz-Signature=***",
		"http://h/?a=1;password=x":             "http://h/?a=1;password=***",
		"http://h/?password=x;y?z&a=1":         "http://h/?password=***&a=1",
		"http://h/#access_token=x&x=1":         "http://h/#access_token=***&x=1",
		"http://h/?x#a?token=x":                "http://h/?x#a?token=***",
		"http://h/?keys=1":                     "http://h/?keys=1",
		"http://h/?tokens=1&a&&b":              "http://h/?tokens=1&a&&b",
		"http://h/?%zz=y":                      "http://h/?%zz=***",
		"http://h/a;jsessionid=x/b?c=1":        "http://h/a;jsessionid=***/b?c=1",
		"http://h/?u=http%3A%2F%2Fa:x@b%2F":    "http://h/?u=http://***@b/",
		"http://h/?u=/n%3Ftoken%3Dx&v=1":       "http://h/?u=/n?token=***&v=1",
		"http://h/?u=http://a:x@b/?token=x":    "http://h/?u=http://***@b/?token=***",
		"http://h/?u=%3Fu=%253Ftoken%253Dx":    "http://h/?u=?u=?token=***",
		"ada:x@h:80/":                          "***@h:80/",
		"http://h/web/https://ada:x@i/":        "http://h/web/https://***@i/",
		"http://h/?u=https://a/,https://b:x@i": "http://h/?u=https://a/,https://***@i",
		"http://h/?a=1%26token=x":              "http://h/?a=1&token=***",
		"http://h/?a=1%26b=2":                  "http://h/?a=1%26b=2",
		"http://h/?q=%7B%22pin%22:%22x%22%7D":  `http://h/?q={"pin":"***"}`,
		"http://h/?q=a%20b&pin=1&pinterest=pi": "http://h/?q=a%20b&pin=***&pinterest=pi",
	} {
		if diff := cmp.Diff(want, Default().URL(s)); diff != "" {
			t.Errorf("%s: %s", s, diff)
		}
		if s != None().URL(s) {
			t.Errorf("%s was masked by None", s)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, f := range [][3]string{
		{"Authorization", "Basic abc", "Basic ***"},
		{"authorization", "S3CRET", "***"},
		{"Authorization", "S3 CRET", "***"},
		{"Authorization", "", ""},
		{"Proxy-Authorization", "Bearer x", "Bearer ***"},
		{"WWW-Authenticate", `Digest realm="a, b", nonce="x", Basic realm="c"`, `Digest realm="a, b", nonce="x", Basic realm="c"`},
		{"WWW-Authenticate", "Negotiate YII=, NTLM, Basic realm=x", "Negotiate ***, NTLM, Basic realm=x"},
		{"Cookie", "a=1;b=2; c", "a=***;b=***;***"},
		{"Set-Cookie", "S3CRET; Path=/", "***; Path=/"},
		{"Set-Cookie", "a=1; Path=/", "a=***; Path=/"},
		{"X-Amz-Security-Token", "x", "***"},
		{"X-Auth-Key", "x", "***"},
		{"X-Functions-Key", "x", "***"},
		{"X-Signature", "x", "***"},
		{"Authentication-Info", `rspauth="x"`, "***"},
		{"Location", "https://u:p@h/?a=1&access_token=x#id_token=y", "https://***@h/?a=1&access_token=***#id_token=***"},
		{"Location", "//u@h", "//***@h"},
		{"Location", "/?%74oken=x&%zz=y", "/?%74oken=***&%zz=***"},
		{"Link", `<https://u:p@h/?a=1&token=x>; rel="next", </?sig=y>; rel=last`, `<https://***@h/?a=1&token=***>; rel="next", </?sig=***>; rel=last`},
		{"Refresh", "0; url=https://h/?token=x", "0; url=https://h/?token=***"},
		{"Refresh", "0;url=https://u:p@h/", "0;url=https://***@h/"},
		{"X-Next", "https://u:p@h/", "https://***@h/"},
		{"Referer", "http://h/a@b", "http://h/a@b"},
		{"Accept", "*/*", "*/*"},
		{"Content-Type", "text/plain; charset=utf-8", "text/plain; charset=utf-8"},
		{"Access-Control-Allow-Credentials", "true", "true"},
		{"Idempotency-Key", "7", "7"},
		{"Authentication", "x", "***"},
		{"X-Authentication", "x", "***"},
		{"X-WSSE", "UsernameToken x", "***"},
		{"DPoP", "x", "***"},
		{"X-Original-URI", "/cb?token=x", "/cb?token=***"},
	} {
		if diff := cmp.Diff(f[2], Default().Field(f[0], f[1])); diff != "" {
			t.Errorf("%s: %s: %s", f[0], f[1], diff)
		}
	}
}

// TestWideBody: UTF-16 and UTF-32 hide nothing, with and without a byte order mark, in whatever is
// looked into.
func TestWideBody(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"application/json; charset=utf-16", `{"a":"→ 😀","password":"x"}`, `{"a":"→ 😀","password":"***"}`},
		{"", `[{"token":"x"}]`, `[{"token":"***"}]`},
		{"text/xml", `<password>x</password>`, `<password>***</password>`},
		{"application/x-www-form-urlencoded", "user=ada&password=x", "user=ada&password=***"},
		{"application/json", `{"a":1}`, `{"a":1}`},
		{"image/png", `{"token":"x"}`, `{"token":"x"}`},
	} {
		for _, w := range []wide{{2, binary.LittleEndian}, {2, binary.BigEndian}, {4, binary.LittleEndian}, {4, binary.BigEndian}} {
			for _, mark := range []string{"", "\ufeff"} {
				if mark != "" && !strings.Contains(c.kind, "json") {
					continue // a form and XML begin otherwise
				}
				got := w.decode(Default().Body(c.kind, w.encode([]byte(mark+c.in))))
				if diff := cmp.Diff(mark+c.want, string(got)); diff != "" {
					t.Errorf("%s, %+v (-want +got)\n%s", c.kind, w, diff)
				}
			}
		}
	}
	if got := Excerpt("", wide{2, binary.LittleEndian}.encode([]byte(`{"token":"x","b":"0123456789abcdef0123"}`))); got != `{"token":"***","b":"***"}` {
		t.Errorf("excerpt: %q", got)
	}
	for _, cut := range []string{"", "{", "{\x00", "{\x00\"", "\xff\xfe{"} { // is not text of two units
		if got := Default().Body("application/json", []byte(cut)); string(got) != cut {
			t.Errorf("%q: %q", cut, got)
		}
	}
}

func TestBody(t *testing.T) {
	const form, multi, jsn, xml = "application/x-www-form-urlencoded; charset=utf-8", `multipart/form-data; boundary="B"`, "application/json", "application/soap+xml"
	for _, tt := range []struct{ kind, in, want string }{
		{form, "user=ada&password=x&key=x&a+b=1&db+password=x", "user=ada&password=***&key=***&a+b=1&db+password=***"},
		{jsn, `{"user": "ada", "password": "x", "n": 1}`, `{"user": "ada", "password": "***", "n": 1}`},
		{jsn, `{"pin":1234,"otp" : -1.5e3 , "token":null,"secret":true,"pwd":""}`, `{"pin":"***","otp" : "***" , "token":null,"secret":true,"pwd":""}`},
		{jsn, `{"code":"E7","key":"k","session":"s","message":"password"}`, `{"code":"E7","key":"k","session":"s","message":"password"}`},
		{jsn, `{"credentials":{"user":"x","more":["x",1,{"a":"x"}]},"a":"b"}`, `{"credentials":{"user":"***","more":["***","***",{"a":"***"}]},"a":"b"}`},
		{jsn, `{"access_tokens": [ "x", "y" ], "a": [1]}`, `{"access_tokens": [ "***", "***" ], "a": [1]}`},
		{jsn, `{"pass\u0077ord":"x","a":"\"password\":\"x"}`, `{"pass\u0077ord":"***","a":"\"password\":\"x"}`},
		{jsn, `{"password":"x\"y","a":1}`, `{"password":"***","a":1}`},
		{jsn, `{"body":"{\"password\":\"x\",\"a\":1}"}`, `{"body":"{\"password\":\"***\",\"a\":1}"}`},
		{jsn, `{"next":"https://u:p@h/?token=x&a=1"}`, `{"next":"https://***@h/?token=***&a=1"}`},
		{jsn, `{"password":"cut of`, `{"password":"***"`},
		{jsn, `{"password":`, `{"password":`},
		{jsn, `{"password"`, `{"password"`},
		{jsn, `{"password":}`, `{"password":}`},
		{"application/x-ndjson", "{\"token\":\"x\"}\n{\"token\":\"y\"}\n", "{\"token\":\"***\"}\n{\"token\":\"***\"}\n"},
		{"application/problem+json", `{"token":"x"}`, `{"token":"***"}`},
		{"", ` {"token":"x"}`, ` {"token":"***"}`},
		{"text/plain", `[{"token":"x"}]`, `[{"token":"***"}]`},
		{"text/plain", "token=x", "token=x"},
		{"", "grant_type=password&password=x", "grant_type=password&password=***"},
		{"", "password=x", "password=***"},
		{"", "a password=x", "a password=x"},
		{"image/png", `{"token":"x"}`, `{"token":"x"}`},
		{xml, `<a><Password>x</Password><n>1</n></a>`, `<a><Password>***</Password><n>1</n></a>`},
		{xml, `<a><ns:apiKey id="1"><![CDATA[x]]></ns:apiKey><b>c</b></a>`, `<a><ns:apiKey id="1"><![CDATA[***]]></ns:apiKey><b>c</b></a>`},
		{xml, `<credentials> <user>x</user> <b/> y</credentials><n>1</n>`, `<credentials> <user>***</user> <b/>***</credentials><n>1</n>`},
		{xml, `<a user="ada" password="x" url='http://u:p@h/'/>`, `<a user="ada" password="***" url='http://***@h/'/>`},
		{xml, `<add key="ApiKey" value="x"/><add key="Page" value="y"/>`, `<add key="ApiKey" value="***"/><add key="Page" value="y"/>`},
		{xml, `<param name="password">x</param>`, `<param name="password">***</param>`},
		{xml, `<token/><a>1</a>`, `<token/><a>1</a>`},
		{xml, `<password>cut of`, `<password>***`},
		{xml, `<a password="cut of`, `<a password="***`},
		{xml, `<!-- c --><?xml version="1.0"?><password><!-- x --></password>`, `<!-- c --><?xml version="1.0"?><password></password>`},
		{"", `<password>x</password>`, `<password>***</password>`},
		{multi, "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--B--\r\n",
			"--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--B--\r\n"},
		{"multipart/form-data", "--B\r\nContent-Disposition: form-data; filename=f; name=api_key\r\n\r\nx\r\n--B--\r\n",
			"--B\r\nContent-Disposition: form-data; filename=f; name=api_key\r\n\r\n***\r\n--B--\r\n"},
		{multi, "--B\r\ncontent-type: application/json\r\n\r\n{\"token\":\"x\"}\r\n--B--", "--B\r\ncontent-type: application/json\r\n\r\n{\"token\":\"***\"}\r\n--B--"},
		{"multipart/form-data", "", ""},
		{multi, "--B", "--B"},
	} {
		if diff := cmp.Diff(tt.want, string(Default().Body(tt.kind, []byte(tt.in)))); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.kind, tt.in, diff)
		}
		if got := string(None().Body(tt.kind, []byte(tt.in))); got != tt.in {
			t.Errorf("None: %s", got)
		}
	}
}

// Nothing panics or grows without bound, wherever the input is cut.
func FuzzMask(f *testing.F) {
	for _, s := range []string{
		`{"a":{"password":["x",{"b":"c"}]},"t":"http://u:p@h/?token=x"}`, `<a key="password" value="x"><b>c</b></a>`, "http://u:p@h/;a=b?c=%3Fd%3De#f",
		"a=1&token=2;x?y", "--B\r\n\r\n--B--", `{"a":"{\"b\":\"[1]\"}"}`, "\xff\"\\",
	} {
		for i := range s {
			f.Add(s[:i+1])
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := Default()
		for name, mask := range map[string]func(string) string{
			"URL": l.URL, "Text": l.Text, "Pairs": l.Pairs,
			"Location": func(s string) string { return l.Field("Location", s) },
			"JSON":     func(s string) string { return string(l.JSON([]byte(s))) },
			"XML":      func(s string) string { return string(l.XML([]byte(s))) },
			"parts":    func(s string) string { return string(l.Body("multipart/x", []byte(s))) },
		} {
			if once := mask(s); len(once) > 8*len(s)+64 {
				t.Errorf("%s of %q is %q", name, s, once)
			}
		}
	})
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

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("é", 100)
	for _, tt := range []struct{ contentType, body, want string }{
		{"text/plain", "nothing here", "nothing here"},
		{"text/html", "<p>page 12 of 13</p>", "<p>page 12 of 13</p>"},
		{"application/json", `{"token": "hunter2", "a": }`, `{"token": "***", "a": }`},
		{"application/json", `{"token": "hunter2`, `{"token": "***"`},
		{"application/json", "token=hunter2&a=b", "token=***&a=b"},
		{"text/plain", `{"password": "hunter2"}`, `{"password": "***"}`},
		{"text/plain", "gho_16C7e42F292c6912E7710c838347Ae178B4a", "***"},
		{"", "key AKIAIOSFODNN7EXAMPLE12 end", "key *** end"},
		{"text/plain", long, strings.Repeat("é", excerptLen/2) + "…"},
		{"", "", ""},
	} {
		if diff := cmp.Diff(tt.want, Excerpt(tt.contentType, []byte(tt.body))); diff != "" {
			t.Errorf("%q as %q (-want +got):\n%s", tt.body, tt.contentType, diff)
		}
		for cut := range tt.body {
			if got := Excerpt(tt.contentType, []byte(tt.body[:cut])); strings.Contains(got, "hunter") || !strings.Contains(tt.body, "é") && !utf8.ValidString(got) {
				t.Errorf("%q as %q: %q", tt.body[:cut], tt.contentType, got)
			}
		}
	}
}

// TestPhraseLengths: endsInPhrase looks at ends of these lengths only.
func TestPhraseLengths(t *testing.T) {
	for phrase := range phrases {
		if len(phrase) > longestPhrase || len(phrase) < shortestPhrase && endsInPhrase(phrase) {
			t.Errorf("%q has %d letters", phrase, len(phrase))
		}
	}
}
