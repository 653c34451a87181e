package negotiate_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt/auth/negotiate"
)

// impostor answers whatever a KDC is asked, without knowing a key, and returns its port.
func impostor(t *testing.T, answer []byte) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var size [4]byte
			_, _ = io.ReadFull(c, size[:])
			_, _ = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(size[:])))
			_, _ = c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.Addr().(*net.TCPAddr).Port
}

// TestMalformedKDC: what anybody on the way to a KDC can answer is an error, and no panic.
func TestMalformedKDC(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	for _, cipher := range [][]byte{nil, {1}, make([]byte, 12), make([]byte, 40)} {
		rep := messages.ASRep{KDCRepFields: messages.KDCRepFields{
			PVNO: 5, MsgType: msgtype.KRB_AS_REP, CRealm: realm, CName: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "ada"),
			Ticket: messages.Ticket{
				TktVNO: 5, Realm: realm, SName: types.NewPrincipalName(nametype.KRB_NT_SRV_INST, "krbtgt/"+realm),
				EncPart: types.EncryptedData{EType: etypeID.AES256_CTS_HMAC_SHA1_96, Cipher: []byte{1}},
			},
			EncPart: types.EncryptedData{EType: etypeID.AES256_CTS_HMAC_SHA1_96, Cipher: cipher},
		}}
		answer, err := rep.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		settings, err := config.NewFromString(fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n udp_preference_limit = 1\n[realms]\n %[1]s = {\n  kdc = 127.0.0.1:%[2]d\n }\n", realm, impostor(t, answer)))
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.TrustEnv = false
		s.Mount("http://", negotiate.Adapter(client.NewWithPassword("ada", realm, "secret", settings, client.DisablePAFXFAST(true))))
		if _, err := s.Get(t.Context(), server.URL); !errors.Is(err, requests.ErrRequest) {
			t.Errorf("a part of %d bytes: %v", len(cipher), err)
		}
		_ = s.Close()
	}
}
