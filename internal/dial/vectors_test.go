package dial

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/net/idna"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/certs"
)

// blob is {"b64": …} in the recorded files.
type blob struct {
	B64 []byte `json:"b64"`
}

// script plays the other side: its n-th reply can be read after the n-th message, then it closes.
type script struct {
	replies [][]byte
	sent    [][]byte
	pending bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) {
	s.sent = append(s.sent, slices.Clone(p))
	if n := len(s.sent); n <= len(s.replies) {
		s.pending.Write(s.replies[n-1])
	}
	return len(p), nil
}

func (s *script) Read(p []byte) (int, error) { return s.pending.Read(p) }

type socksCase struct {
	ID string
	In struct {
		Scheme, Host, Username, Password string
		Port                             int
		Replies                          []blob
		Refuse                           bool
	}
	Out struct {
		Messages []blob
		Result   string
		Message  string
	}
}

func (c *socksCase) request() *SocksRequest {
	host, err := idna.ToASCII(c.In.Host)
	if err != nil {
		host = c.In.Host
	}
	if in := &c.In; in.Username == "" || in.Password == "" {
		if in.Password = ""; strings.HasPrefix(in.Scheme, "socks5") {
			in.Username = "" // PySocks offers both or nothing
		}
	}
	names := table{"name.test": "10.1.2.3", "six.test": "fd00::5"}
	return &SocksRequest{
		Scheme: c.In.Scheme, Host: host, Port: c.In.Port, User: c.In.Username, Password: c.In.Password,
		Lookup: func(network, host string) (net.IP, error) {
			addrs, err := names.LookupNetIP(context.Background(), network, host)
			if err != nil || len(addrs) == 0 {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return addrs[0].AsSlice(), nil
		},
	}
}

// messages is what was recorded, without what is known to be wrong there: a handshake that fails over
// a lookup is played twice (once an address of "localhost"), and a length above 127 is two bytes long.
func (c *socksCase) messages() [][]byte {
	var out [][]byte
	for _, m := range c.Out.Messages {
		for _, v := range []string{c.In.Username, c.In.Password, c.In.Host} {
			if n := len(v); n > 127 {
				m.B64 = bytes.Replace(m.B64, []byte(string(rune(n))+v), append([]byte{byte(n)}, v...), 1)
			}
		}
		if len(out) == 0 || !bytes.Equal(out[len(out)-1], m.B64) {
			out = append(out, m.B64)
		}
	}
	return out
}

func TestVectorsSocksHandshake(t *testing.T) {
	for _, c := range cases.Recorded[socksCase](t, "socks_handshake") {
		t.Run(c.ID, func(t *testing.T) {
			if c.In.Refuse {
				t.Skip("the proxy of this recording cannot be reached: TestProxyUnreachable has that")
			}
			s := &script{}
			for _, r := range c.In.Replies {
				s.replies = append(s.replies, r.B64)
			}
			err := Socks(s, c.request())
			if diff := gocmp.Diff(c.messages(), s.sent); diff != "" {
				t.Errorf("messages (-want +got)\n%s", diff)
			}
			if diff := gocmp.Diff(socksReason(c.Out.Message), socksText(err)); diff != "" {
				t.Errorf("result (-want +got)\n%s", diff)
			}
		})
	}
}

func socksReason(message string) string {
	_, reason, _ := strings.Cut(message, "Failed to establish a new connection: ")
	return reason
}

func socksText(err error) string {
	var dns *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &dns):
		return "[Errno -2] Name or service not known"
	}
	return err.Error()
}

type connectCase struct {
	ID string
	In struct {
		Host, Scheme string
		Port         int
		Headers      [][2]string
		Reply        *blob
	}
	Out struct {
		Sent            blob
		Result, Message string
	}
}

// want is the recorded request as newer interpreters write it, in HTTP/1.1 and with a Host field.
func (c *connectCase) want() string {
	sent := string(c.Out.Sent.B64)
	first, rest, _ := strings.Cut(sent, " HTTP/1.0\r\n")
	authority := strings.TrimPrefix(first, "CONNECT ")
	switch {
	case sent == "":
		return ""
	case strings.Contains(rest, "Host:"):
		return first + " HTTP/1.1\r\n" + rest
	}
	return first + " HTTP/1.1\r\nHost: " + authority + "\r\n" + rest
}

func TestVectorsConnectRequest(t *testing.T) {
	for _, c := range cases.Recorded[connectCase](t, "urllib3_connect_request") {
		t.Run(c.ID, func(t *testing.T) {
			if c.In.Scheme != "" {
				t.Skip("urllib3 checks its arguments here, and a Plan has no field that could hold these")
			}
			s := &script{replies: [][]byte{[]byte("HTTP/1.1 200 OK\r\n\r\n")}}
			if c.In.Reply != nil {
				s.replies[0] = c.In.Reply.B64
			}
			_, err := Tunnel(s, c.In.Host, c.In.Port, latin1(c.In.Headers))
			if diff := gocmp.Diff(c.want(), string(bytes.Join(s.sent, nil))); diff != "" {
				t.Errorf("sent (-want +got)\n%s", diff)
			}
			if c.Out.Result != "ok" && err == nil || c.Out.Result == "ok" && err != nil {
				t.Errorf("want %s, got %v", c.Out.Result, err)
			}
			if c.Out.Result == "OSError" {
				if diff := gocmp.Diff(c.Out.Message, err.Error()); diff != "" {
					t.Errorf("message (-want +got)\n%s", diff)
				}
			}
		})
	}
}

// latin1 gives the values the bytes the recording sent.
func latin1(fields [][2]string) [][2]string {
	out := slices.Clone(fields)
	for i := range out {
		var b []byte
		for _, r := range out[i][1] {
			b = append(b, byte(r))
		}
		out[i][1] = string(b)
	}
	return out
}

// FuzzSocks feeds replies whole and byte by byte: no panic, the same result, and nothing read beyond the handshake.
func FuzzSocks(f *testing.F) {
	f.Add("socks5h", []byte("\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x00\x50rest"))
	f.Add("socks4a", []byte("\x00\x5a\x00\x50\x7f\x00\x00\x01rest"))
	f.Fuzz(func(t *testing.T, scheme string, replies []byte) {
		r := &SocksRequest{Scheme: scheme, Host: "name.test", Port: 80, User: "u", Password: "p",
			Lookup: func(string, string) (net.IP, error) { return net.IPv4(10, 1, 2, 3), nil }}
		whole, slow := bytes.NewReader(replies), bytes.NewReader(replies)
		err1 := Socks(struct {
			io.Reader
			io.Writer
		}{whole, io.Discard}, r)
		err2 := Socks(struct {
			io.Reader
			io.Writer
		}{oneByte{slow}, io.Discard}, r)
		if (err1 == nil) != (err2 == nil) || whole.Len() != slow.Len() {
			t.Fatalf("whole: %v, %d left; byte by byte: %v, %d left", err1, whole.Len(), err2, slow.Len())
		}
	})
}

type oneByte struct{ io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.Reader.Read(p[:min(1, len(p))]) }

type fingerprintCase struct {
	ID string
	In struct {
		Cert        *blob
		Fingerprint string
	}
	Out, Error, Message string
}

func TestVectorsAssertFingerprint(t *testing.T) {
	for _, c := range cases.Recorded[fingerprintCase](t, "urllib3_assert_fingerprint") {
		t.Run(c.ID, func(t *testing.T) {
			var der []byte
			if c.In.Cert != nil {
				der = c.In.Cert.B64
			}
			sum, err := certs.ParseFingerprint(c.In.Fingerprint)
			if err == nil {
				err = CheckFingerprint(der, sum)
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := gocmp.Diff(c.Message, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
