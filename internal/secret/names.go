package secret

import (
	"strings"
	"unicode"
)

// The names. A name is cut into words, at capitals, digits and whatever is not a letter, and
// compared by these tables:
//
//	table     a name is secret if                            for example
//	alone     it is that one word, X- aside, in a pair       ?key=, X-Session: but not {"key": …}
//	exact     any of its words is that                       user_pin, OTPCode but not spinner
//	last      its last word is that, or its only one         db_pass but not pass_rate
//	phrases   words in a row, or one word's end, are that    X-Api-Key, awsaccesskeyid but not user_keyboard
//	ends      any of its words ends so                       sessiontoken but not tokenizer
//	within    any of its words holds that                    dbpassword1, csrfmiddlewaretoken
//
// unless its last word, the head of an English compound, says that it is about a secret
// and is none: token_type, SignatureVersion.
var (
	alone = set("key code session sid sign mac ticket")
	exact = set(`secret secrets token jwt otp totp hotp pin pins sig hmac pwd pw psw pswd pword pkey cvv cvc
		macaroon macaroons userpin cardpin newpin oldpin mypin loginpin simpin accountpin smsotp pincode pinnumber pinblock`)
	last = set(`pass auth bearer sas verifier cookie cookies userpass dbpass loginpass proxypass sshpass keypass rootpass
		adminpass mysqlpass authpass smtppass ftppass mailpass dsn passkey`)
	phrases = set(`apikey accesskey secretkey privatekey subscriptionkey functionskey functionkey accountkey sharedkey
		storagekey masterkey encryptionkey decryptionkey signingkey authkey sessionkey hostkey appkey applicationkey
		clientkey consumerkey licensekey adminkey servicekey userkey sshkey sslkey tlskey webhookkey serverkey
		symmetrickey hmackey aeskey writekey customerkey recoverykey deploykey deploymentkey fastlykey rapidapikey mashapekey
		passphrase keyphrase seedphrase recoveryphrase passcode password passwd passwort securityanswer signedrequest onetimecode codeverifier clientassertion
		authcode authorizationcode verificationcode verifycode confirmationcode mfacode tfacode facode factorcode unlockcode otpcode smscode
		securitycode devicecode usercode resetcode activationcode logincode accesscode recoverycode backupcode
		sessionid sessid sessionstate sessiondata connectsid samlresponse connectionstring googleaccessid
		accesstokens refreshtokens authtokens apitokens idtokens sessiontokens bearertokens securitytokens devicetokens usertokens`)
	ends   = strings.Fields("token secret secrets pwd jwt signature signatures authorization authorisation assertion")
	within = strings.Fields("passw passphrase passcode csrf xsrf credential sessid sessionid")
	heads  = set(`type types version method methods algorithm alg count limit length len size expires expiry expiration
		expire ttl policy policies endpoint enabled required supported strength`)
)

// headers are names of fields that are credentials, or hold some, though their words do
// not say so; public ones are not secret though their words say so.
var (
	headers = set("authenticationinfo proxyauthenticationinfo authentication xauthentication xwsse dpop")
	public  = set("accesscontrolallowcredentials")
)

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

// Is reports whether the value of a header or of a parameter of a URL or form with this
// name is secret.
func (n *Names) Is(name string) bool { return n.secret(words(name), true) }

// field is Is for JSON and XML, where key, code, session and the like have other meanings
// too.
func (n *Names) field(name string) bool { return n.secret(words(name), false) }

func (n *Names) secret(words []string, pair bool) bool {
	if n.none || len(words) == 0 {
		return false
	}
	whole := join(words)
	switch {
	case n.chosen(whole):
		return true
	case public[whole]:
		return false
	case pair && (headers[whole] || alone[strings.TrimPrefix(whole, "x")]):
		return true
	}
	final := words[len(words)-1]
	if heads[final] || len(words) > 2 && heads[words[len(words)-2]] && (final == "in" || final == "at") { // expires_in
		return false
	}
	return last[final] || anyWord(words) || anyPhrase(words)
}

func anyWord(words []string) bool {
	for _, w := range words {
		if exact[w] || hasAny(w, ends, strings.HasSuffix) || hasAny(w, within, strings.Contains) && w != "passwordless" {
			return true
		}
	}
	return false
}

func hasAny(word string, parts []string, has func(s, part string) bool) bool {
	for _, part := range parts {
		if has(word, part) {
			return true
		}
	}
	return false
}

// anyPhrase looks for a phrase in up to three words in a row, and at the end of one.
func anyPhrase(words []string) bool {
	for i := range words {
		phrase := ""
		for _, w := range words[i:min(i+3, len(words))] {
			phrase += w
			if phrases[phrase] || phrases[strings.TrimSuffix(phrase, "s")] {
				return true
			}
		}
		if endsInPhrase(words[i]) || endsInPhrase(strings.TrimSuffix(words[i], "id")) || endsInPhrase(strings.TrimSuffix(words[i], "s")) {
			return true
		}
	}
	return false
}

// The lengths of phrases.
const shortestPhrase, longestPhrase = len("apikey"), len("authorizationcode")

func endsInPhrase(word string) bool {
	for i := max(0, len(word)-longestPhrase); i+shortestPhrase <= len(word); i++ {
		if phrases[word[i:]] {
			return true
		}
	}
	return false
}

func join(words []string) string { return strings.Join(words, "") }

// words cuts a name into its words, in small letters: before a capital behind a small
// letter (apiKey), before the last capital of several (APIKey), and wherever there is
// something else than letters.
func words(name string) []string {
	var all []string
	runes, start := []rune(name), 0
	for i := 0; i <= len(runes); i++ {
		switch {
		case i == len(runes) || !unicode.IsLetter(runes[i]):
			all = appendWord(all, runes[start:i])
			start = i + 1
		case i > start && startsWord(runes, i):
			all = appendWord(all, runes[start:i])
			start = i
		}
	}
	return all
}

func startsWord(runes []rune, i int) bool {
	if !unicode.IsUpper(runes[i]) {
		return false
	}
	return !unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

func appendWord(all []string, word []rune) []string {
	if len(word) == 0 {
		return all
	}
	return append(all, strings.ToLower(string(word)))
}
