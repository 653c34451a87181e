package wire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHeld: a body from memory ends as it had ended.
func TestHeld(t *testing.T) {
	for name, c := range map[string]struct {
		body Held
		want string // what is left and the trailers, before and after reading, the text and how it ended
	}{
		"whole": {Held{Content: []byte("data"), Fields: [][2]string{{"X", "1"}}}, "4 [] data <nil> 0 [[X 1]]"},
		"empty": {Held{}, "0 []  <nil> 0 []"},
		"cut":   {Held{Content: []byte("da"), Cut: errCut}, "-1 [] da cut short -1 []"},
	} {
		b := &c.body
		before := fmt.Sprint(b.Remaining(), " ", b.Trailers())
		text, err := io.ReadAll(b)
		got := fmt.Sprint(before, " ", string(text), " ", err, " ", b.Remaining(), " ", b.Trailers())
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestResume: what was read ahead comes first, however it is read, and counts.
func TestResume(t *testing.T) {
	body := func() Stream { return Resume([]byte("ahead "), sizedBody{strings.NewReader("rest")}) }
	if s := body(); s.Remaining() != 10 || s.Chunked() || s.ChunkRemaining() != 0 {
		t.Errorf("%d left, chunked %v, %d of the chunk", s.Remaining(), s.Chunked(), s.ChunkRemaining())
	}
	var whole, copied bytes.Buffer
	var single []byte
	for s, one := body(), make([]byte, 1); ; {
		n, err := s.Read(one)
		single = append(single, one[:n]...)
		if err != nil {
			break
		}
	}
	_, err := io.Copy(&whole, struct{ io.Reader }{body()})
	n, err2 := body().WriteTo(&copied)
	if diff := cmp.Diff([]string{"ahead rest", "ahead rest", "ahead rest", "10"}, []string{string(single), whole.String(), copied.String(), fmt.Sprint(n)}); diff != "" || err != nil || err2 != nil {
		t.Errorf("%v, %v (-want +got)\n%s", err, err2, diff)
	}
	s := body()
	if _, err := s.WriteTo(failing{}); err == nil || s.Remaining() != 10 {
		t.Errorf("WriteTo without room: %v, %d left", err, s.Remaining())
	}
}
