package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sizedBody is a body of somebody else's that knows what is left of it, and its trailers.
type sizedBody struct{ *strings.Reader }

func (sizedBody) Close() error          { return nil }
func (b sizedBody) Remaining() int64    { return int64(b.Len()) }
func (sizedBody) Trailers() [][2]string { return [][2]string{{"X", "1"}} }
func (sizedBody) Chunked() bool         { return true }
func (sizedBody) ChunkRemaining() int64 { return 2 }

// TestStreamOf: a body has the abilities it came with, and ends where its end has been read.
func TestStreamOf(t *testing.T) {
	describe := func(s Stream) string {
		return fmt.Sprint(s.Remaining(), " ", s.Chunked(), " ", s.ChunkRemaining(), " ", s.Trailers(), " ", s.Verifiable())
	}
	for name, c := range map[string]struct {
		body         io.ReadCloser
		before, text string
		after        string
	}{
		"none":  {nil, "0 false 0 [] true", "", "0 false 0 [] true"},
		"plain": {io.NopCloser(strings.NewReader("data")), "-1 false 0 [] true", "data", "-1 false 0 [] true"},
		"sized": {sizedBody{strings.NewReader("data")}, "4 true 2 [[X 1]] true", "data", "0 true 2 [[X 1]] true"},
		"empty": {sizedBody{strings.NewReader("")}, "-1 true 2 [[X 1]] true", "", "0 true 2 [[X 1]] true"},
	} {
		s := StreamOf(c.body)
		if again := StreamOf(s); again != s {
			t.Errorf("%s: a Stream is wrapped", name)
		}
		before := describe(s)
		data, err := io.ReadAll(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{c.before, c.text, c.after}, []string{before, string(data), describe(s)}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestError: an error names its phase, has its cause, and is a timeout if a limit has passed.
func TestError(t *testing.T) {
	cause := errors.New("cause")
	for limit, want := range map[Limit]bool{NoLimit: false, NoLimit + 1: true} {
		err := &Error{Err: cause, Limit: limit}
		if !errors.Is(err, cause) || err.Timeout() != want || !strings.HasSuffix(err.Error(), ": cause") {
			t.Errorf("%v: %v, timeout %v", limit, err, err.Timeout())
		}
	}
}
