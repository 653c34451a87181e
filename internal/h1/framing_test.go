package h1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type framingResult struct {
	Framing Framing
	N       int64
	Code    Code
}

func TestResponseFraming(t *testing.T) {
	length := func(values ...string) (f Fields) {
		for _, v := range values {
			f = append(f, [2]string{"content-LENGTH", v})
		}
		return f
	}
	coding := func(values ...string) (f Fields) {
		for _, v := range values {
			f = append(f, [2]string{"Transfer-Encoding", v})
		}
		return f
	}
	tests := []struct {
		name, method  string
		status, minor int
		fields        Fields
		want          framingResult
	}{
		{"length", "GET", 200, 1, length("3"), framingResult{Length, 3, 0}},
		{"length with blanks", "GET", 200, 1, length("\t3 "), framingResult{Length, 3, 0}},
		{"leading zeros", "GET", 200, 1, length("0003"), framingResult{Length, 3, 0}},
		{"largest", "GET", 200, 1, length("9223372036854775807"), framingResult{Length, 1<<63 - 1, 0}},
		{"too large", "GET", 200, 1, length("9223372036854775808"), framingResult{Code: BadContentLength}},
		{"same in a list", "GET", 200, 1, length("3, 3"), framingResult{Length, 3, 0}},
		{"same in two lines", "GET", 200, 1, length("3", "3"), framingResult{Length, 3, 0}},
		{"different", "GET", 200, 1, length("3", "4"), framingResult{Code: BadContentLength}},
		{"different in a list", "GET", 200, 1, length("3,4"), framingResult{Code: BadContentLength}},
		{"empty member", "GET", 200, 1, length("3,"), framingResult{Code: BadContentLength}},
		{"empty", "GET", 200, 1, length(""), framingResult{Code: BadContentLength}},
		{"sign", "GET", 200, 1, length("+3"), framingResult{Code: BadContentLength}},
		{"hex", "GET", 200, 1, length("0x3"), framingResult{Code: BadContentLength}},
		{"folded", "GET", 200, 1, length("\r\n 3"), framingResult{Code: BadContentLength}},

		{"chunked", "GET", 200, 1, coding(" Chunked\t"), framingResult{Chunked, -1, 0}},
		{"chunked wins", "GET", 200, 1, append(coding("chunked"), length("3")...), framingResult{Chunked, -1, 0}},
		{"chunked, bad length", "GET", 200, 1, append(coding("chunked"), length("x")...), framingResult{Code: BadContentLength}},
		{"chunked twice", "GET", 200, 1, coding("chunked", "chunked"), framingResult{Code: BadTransferEncoding}},
		{"chunked in a list", "GET", 200, 1, coding("chunked, chunked"), framingResult{Code: BadTransferEncoding}},
		{"other", "GET", 200, 1, coding("gzip, chunked"), framingResult{Code: BadTransferEncoding}},
		{"identity", "GET", 200, 1, coding("identity"), framingResult{Code: BadTransferEncoding}},
		{"empty coding", "GET", 200, 1, coding(""), framingResult{Code: BadTransferEncoding}},
		{"folded coding", "GET", 200, 1, coding("chunked\r\n "), framingResult{Code: BadTransferEncoding}},
		{"chunked in 1.0", "GET", 200, 0, coding("chunked"), framingResult{Code: BadTransferEncoding}},
		{"chunked in 1.2", "GET", 200, 2, coding("chunked"), framingResult{Chunked, -1, 0}},

		{"neither", "GET", 200, 1, nil, framingResult{UntilClose, -1, 0}},
		{"205", "GET", 205, 1, nil, framingResult{UntilClose, -1, 0}},
		{"HEAD", "HEAD", 200, 1, length("3"), framingResult{}},
		{"HEAD, coding", "HEAD", 200, 1, coding("gzip"), framingResult{}},
		{"HEAD, different", "HEAD", 200, 1, length("3", "4"), framingResult{Code: BadContentLength}},
		{"head is another method", "head", 200, 1, length("3"), framingResult{Length, 3, 0}},
		{"204", "GET", 204, 1, length("3"), framingResult{}},
		{"304", "GET", 304, 1, coding("chunked"), framingResult{}},
		{"103", "GET", 103, 1, length("3"), framingResult{}},
		{"CONNECT 200", "CONNECT", 200, 1, length("x"), framingResult{}},
		{"CONNECT 407", "CONNECT", 407, 1, length("3"), framingResult{Length, 3, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, n, err := ResponseFraming(tt.method, &ResponseHead{Minor: tt.minor, Status: tt.status, Fields: tt.fields})
			if diff := cmp.Diff(tt.want, framingResult{f, n, codeOf(err)}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRequestFraming(t *testing.T) {
	tests := []struct {
		fields Fields
		want   framingResult
	}{
		{nil, framingResult{}},
		{Fields{{"Content-Length", "2"}}, framingResult{Length, 2, 0}},
		{Fields{{"Transfer-Encoding", "chunked"}}, framingResult{Chunked, -1, 0}},
		{Fields{{"Transfer-Encoding", "x"}}, framingResult{Code: BadTransferEncoding}},
		{Fields{{"Content-Length", "-2"}}, framingResult{Code: BadContentLength}},
	}
	for _, tt := range tests {
		f, n, err := RequestFraming(&RequestHead{Minor: 1, Fields: tt.fields})
		if diff := cmp.Diff(tt.want, framingResult{f, n, codeOf(err)}); diff != "" {
			t.Errorf("%v (-want +got)\n%s", tt.fields, diff)
		}
	}
}

func TestVerdict(t *testing.T) {
	head := func(minor, status int, connection ...string) *ResponseHead {
		h := &ResponseHead{Minor: minor, Status: status}
		for _, v := range connection {
			h.Fields = append(h.Fields, [2]string{"CONNECTION", v})
		}
		return h
	}
	both := &ResponseHead{Minor: 1, Status: 200, Fields: Fields{{"Content-Length", "1"}}}
	done, unread := new(Body), new(Body)
	done.Init(nil, NoBody, 0, nil)
	unread.Init(nil, Length, 5, nil)
	tests := []struct {
		name string
		x    Exchange
		want Verdict
	}{
		{"no body", Exchange{Head: head(1, 204)}, Keep},
		{"body read", Exchange{Head: head(1, 200), Framing: Length, Body: done}, Keep},
		{"body not read", Exchange{Head: head(1, 200), Framing: Length, Body: unread}, BodyUnread},
		{"body not begun", Exchange{Head: head(1, 200), Framing: Chunked}, BodyUnread},
		{"no head", Exchange{}, NoHead},
		{"half sent", Exchange{Head: head(1, 413), Unsent: true}, HalfSent},
		{"switched", Exchange{Head: head(1, 101)}, Tunnelled},
		{"tunnel", Exchange{Method: "CONNECT", Head: head(1, 200)}, Tunnelled},
		{"tunnel refused", Exchange{Method: "CONNECT", Head: head(1, 407)}, Keep},
		{"until close", Exchange{Head: head(1, 200), Framing: UntilClose, Body: done}, ToTheClose},
		{"close", Exchange{Head: head(1, 200, "Close")}, PeerCloses},
		{"close in a list", Exchange{Head: head(1, 200, "x, close")}, PeerCloses},
		{"close in the second line", Exchange{Head: head(1, 200, "keep-alive", "close")}, PeerCloses},
		{"close folded", Exchange{Head: head(1, 200, "x,\r\n close")}, PeerCloses},
		{"not quite close", Exchange{Head: head(1, 200, "closed")}, Keep},
		{"1.0", Exchange{Head: head(0, 200)}, OldVersion},
		{"1.0 kept", Exchange{Head: head(0, 200, "Keep-Alive")}, Keep},
		{"1.0 kept and closed", Exchange{Head: head(0, 200, "Keep-Alive", "close")}, PeerCloses},
		{"two framings", Exchange{Head: both, Framing: Chunked, Body: done}, TwoFramings},
		{"bytes left", Exchange{Head: head(1, 204), Reader: &Reader{buf: []byte("x"), w: 1}}, BytesLeft},
	}
	for _, tt := range tests {
		if got := tt.x.Verdict(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
