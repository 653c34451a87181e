package ntlm_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"sync"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //lint:ignore SA1019 NTLM is made of it

	"github.com/mountable/requests/internal/wiretest"
)

// server is the other side of NTLM: it authenticates connections.
type server struct {
	users  map[string]string // passwords
	domain string
	scheme string // NTLM or Negotiate
	proxy  bool   // it asks as a proxy does
	close  bool   // it closes each connection after its second message
	eager  bool   // it closes each connection that has no message, after its 407
	mangle string // sent instead of the challenge, if not ""
	trusts bool   // it takes the first message for enough

	challenged, identity sync.Map // by connection
}

// closes announces a close: without it, the next request may go out before the end has arrived.
var closes = [2]string{"Connection", "close"}

var nonce = []byte("8 random")

// handle answers one request: with the user of the connection, or with a challenge.
func (s *server) handle(r *wiretest.Request) wiretest.Reply {
	status, ask, field := 401, "WWW-Authenticate", "Authorization"
	if s.proxy {
		status, ask, field = 407, "Proxy-Authenticate", "Proxy-Authorization"
	}
	scheme, token, _ := strings.Cut(r.Get(field), " ")
	message, _ := base64.StdEncoding.DecodeString(token)
	switch {
	case scheme == s.scheme && len(message) > 12 && message[8] == 1:
		s.challenged.Store(r.Conn, true)
		if s.trusts {
			s.identity.Store(r.Conn, "ada")
			return wiretest.Text(200, "ada sent "+r.Body)
		}
		if s.close {
			return wiretest.Text(status, "", [2]string{ask, s.scheme + " " + s.challenge()}, closes).ThenClose()
		}
		return wiretest.Text(status, "", [2]string{ask, s.scheme + " " + s.challenge()})
	case scheme == s.scheme && len(message) > 64 && message[8] == 3:
		_, challenged := s.challenged.Load(r.Conn)
		user, ok := s.verify(message)
		if !ok || !challenged {
			return wiretest.Text(status, "wrong", [2]string{ask, s.scheme})
		}
		s.identity.Store(r.Conn, user)
	}
	user, known := s.identity.Load(r.Conn)
	if !known {
		asks := [][2]string{{ask, s.scheme}, {ask, `Basic realm="x"`}}
		if s.eager {
			return wiretest.Text(status, "who are you?", append(asks, closes)...).ThenClose()
		}
		return wiretest.Text(status, "who are you?", asks...)
	}
	if r.Method == "CONNECT" {
		return wiretest.Send("HTTP/1.1 200 OK\r\n\r\n")
	}
	return wiretest.Text(200, user.(string)+" sent "+r.Body)
}

// challenge is the second message, in the layout of MS-NLMP section 2.2.1.2.
func (s *server) challenge() string {
	if s.mangle != "" {
		return s.mangle
	}
	const flags = 0x00000001 | 0x00000200 | 0x00080000 | 0x00800000 // Unicode, NTLM, extended security, target info
	info := append(pair(2, wide(s.domain)), pair(0, nil)...)
	var b bytes.Buffer
	b.WriteString("NTLMSSP\x00")
	for _, v := range []any{uint32(2), uint16(0), uint16(0), uint32(48), uint32(flags), nonce, uint64(0), uint16(len(info)), uint16(len(info)), uint32(48)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.Write(info)
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// pair is one of the list of attributes.
func pair(id uint16, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func narrow(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// verify checks the third message (MS-NLMP sections 2.2.1.3 and 3.3.2).
func (s *server) verify(message []byte) (user string, ok bool) {
	field := func(at int) []byte {
		length, offset := int(binary.LittleEndian.Uint16(message[at:])), int(binary.LittleEndian.Uint32(message[at+4:]))
		if offset+length > len(message) {
			return nil
		}
		return message[offset : offset+length]
	}
	response, domain := field(20), narrow(field(28))
	user = narrow(field(36))
	password, known := s.users[user]
	if !known || len(response) < 16 {
		return "", false
	}
	hash := md4.New()
	hash.Write(wide(password))
	key := authCode(hash.Sum(nil), wide(strings.ToUpper(user)+domain))
	proof := authCode(key, append(bytes.Clone(nonce), response[16:]...))
	return user, hmac.Equal(proof, response[:16])
}

func authCode(key, data []byte) []byte {
	mac := hmac.New(md5.New, key)
	mac.Write(data)
	return mac.Sum(nil)
}
