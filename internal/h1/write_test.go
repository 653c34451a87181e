package h1

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestRule22AppendRequestHead(t *testing.T) {
	type result struct {
		Head string
		Code Code
	}
	tests := []struct {
		name, method, target string
		fields               Fields
		want                 result
	}{
		{"plain", "GET", "/", nil, result{"GET / HTTP/1.1\r\n\r\n", 0}},
		{"order and case", "POST", "/a?b", Fields{{"hOST", "x"}, {"b", "2"}, {"A", "1"}, {"b", ""}},
			result{"POST /a?b HTTP/1.1\r\nhOST: x\r\nb: 2\r\nA: 1\r\nb: \r\n\r\n", 0}},
		{"absolute form", "GET", "http://h/", nil, result{"GET http://h/ HTTP/1.1\r\n\r\n", 0}},
		{"custom method", "M-SEARCH", "*", nil, result{"M-SEARCH * HTTP/1.1\r\n\r\n", 0}},
		{"raw bytes", "GET", "/", Fields{{"A", "\xe9\x85\t\x01"}}, result{"GET / HTTP/1.1\r\nA: \xe9\x85\t\x01\r\n\r\n", 0}},
		{"no method", "", "/", nil, result{"", InvalidMethod}},
		{"method with blank", "GET /x", "/", nil, result{"", InvalidMethod}},
		{"method with line end", "GET\r\n", "/", nil, result{"", InvalidMethod}},
		{"no target", "GET", "", nil, result{"", InvalidTarget}},
		{"target with blank", "GET", "/ HTTP/1.1", nil, result{"", InvalidTarget}},
		{"target with LF", "GET", "/\nX: y", nil, result{"", InvalidTarget}},
		{"target with NUL", "GET", "/\x00", nil, result{"", InvalidTarget}},
		{"target not ASCII", "GET", "/?é\xe9", nil, result{"GET /?é\xe9 HTTP/1.1\r\n\r\n", 0}},
		{"target with DEL", "GET", "/\x7f", nil, result{"", InvalidTarget}},
		{"empty name", "GET", "/", Fields{{"", "v"}}, result{"", InvalidFieldName}},
		{"name with colon", "GET", "/", Fields{{"a:b", "v"}}, result{"", InvalidFieldName}},
		{"name with CR", "GET", "/", Fields{{"a\r", "v"}}, result{"", InvalidFieldName}},
		{"name with blank", "GET", "/", Fields{{"a ", "v"}}, result{"", InvalidFieldName}},
		{"name with NUL", "GET", "/", Fields{{"a\x00", "v"}}, result{"", InvalidFieldName}},
		{"value with CR", "GET", "/", Fields{{"a", "v\rw"}}, result{"", InvalidFieldValue}},
		{"value with LF", "GET", "/", Fields{{"a", "v\n"}}, result{"", InvalidFieldValue}},
		{"value folded", "GET", "/", Fields{{"a", "v\r\n w"}}, result{"", InvalidFieldValue}},
		{"value with NUL", "GET", "/", Fields{{"a", "\x00"}}, result{"", InvalidFieldValue}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head, err := AppendRequestHead(nil, tt.method, tt.target, tt.fields)
			if diff := cmp.Diff(tt.want, result{string(head), codeOf(err)}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAppendKeepsDstOnError(t *testing.T) {
	dst, err := AppendRequestHead([]byte("before"), "GET", "/", Fields{{"ok", "1"}, {"bad\n", "2"}})
	if diff := cmp.Diff("before", string(dst)); diff != "" || err == nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestAppendResponseHead(t *testing.T) {
	head, err := AppendResponseHead(nil, 404, "Not Found", Fields{{"X", "1"}})
	if diff := cmp.Diff("HTTP/1.1 404 Not Found\r\nX: 1\r\n\r\n", string(head)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, bad := range []struct {
		status int
		reason string
	}{{99, ""}, {1000, ""}, {200, "a\r\nb"}} {
		if _, err := AppendResponseHead(nil, bad.status, bad.reason, nil); codeOf(err) != InvalidStatus {
			t.Errorf("status %d %q: %v", bad.status, bad.reason, err)
		}
	}
}

func TestRule39ErrorsKeepValuesSecret(t *testing.T) {
	_, err := AppendRequestHead(nil, "GET", "/?token=hunter2\n", nil)
	_, err2 := AppendRequestHead(nil, "GET", "/", Fields{{"Authorization", "hunter2\n"}})
	got := err.Error() + "|" + err2.Error()
	want := "invalid request target: empty, or holds a blank or a control character|" +
		"invalid header value: of Authorization"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
