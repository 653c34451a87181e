package refresh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// token is valid until it is changed.
type token struct {
	value string
	valid bool
}

func (t *token) Valid() bool { return t != nil && t.valid }
func (t *token) SetAuthHeader(r *http.Request) {
	if t.value != "" {
		r.Header.Set("Authorization", t.value)
	}
}

var errSource = errors.New("the source fails")

// TestValue: when the source is asked, and what comes of what it gives.
func TestValue(t *testing.T) {
	var nilToken *token
	for name, c := range map[string]struct {
		given []any  // what the source gives with each call: a Token or an error
		calls string // a letter a call: "v" for any token, "r" where the last is refused, "x" where the last has expired
		want  []string
	}{
		"kept":            {[]any{&token{"A", true}}, "vvv", []string{"A", "A", "A", "asked 1"}},
		"refused":         {[]any{&token{"A", true}, &token{"B", true}}, "vrv", []string{"A", "B", "B", "asked 2"}},
		"expired":         {[]any{&token{"A", true}, &token{"B", true}}, "vxv", []string{"A", "B", "B", "asked 2"}},
		"an error":        {[]any{errSource, &token{"A", true}}, "vv", []string{errSource.Error(), "A", "asked 2"}},
		"an error, later": {[]any{&token{"A", true}, errSource}, "vrv", []string{"A", errSource.Error(), "A", "asked 2"}},
		"not valid":       {[]any{&token{"A", false}}, "v", []string{ErrInvalid.Error(), "asked 1"}},
		"nil":             {[]any{nil}, "v", []string{ErrInvalid.Error(), "asked 1"}},
		"a nil pointer":   {[]any{nilToken}, "v", []string{ErrInvalid.Error(), "asked 1"}},
		"no header":       {[]any{&token{"", true}}, "v", []string{ErrNoHeader.Error(), "asked 1"}},
	} {
		asked, last := 0, ""
		var got []string
		tokens := Tokens{Source: func() (Token, error) {
			asked++
			switch given := c.given[asked-1].(type) {
			case error:
				return nil, given
			case Token:
				return given, nil
			}
			return nil, nil
		}}
		for _, call := range c.calls {
			refused := ""
			switch call {
			case 'r':
				refused = last
			case 'x':
				c.given[asked-1].(*token).valid = false
			}
			value, err := tokens.Value(t.Context(), time.Time{}, refused)
			if err != nil {
				value = err.Error()
			} else {
				last = value
			}
			got = append(got, value)
		}
		if diff := cmp.Diff(c.want, append(got, fmt.Sprint("asked ", asked))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestWaiting: those who need a token while it is fetched wait for it, get its error, give up
// with their context, and go on where the source has panicked.
func TestWaiting(t *testing.T) {
	for name, c := range map[string]struct {
		end  func() (Token, error) // of the first call of the source
		want []string              // of the first caller, one who waits, and one whose context has ended
	}{
		"a token": {func() (Token, error) { return &token{"A", true}, nil }, []string{"A", "A", ErrWaiting.Error(), "asked 1"}},
		"fails":   {func() (Token, error) { return nil, errSource }, []string{errSource.Error(), errSource.Error(), ErrWaiting.Error(), "asked 1"}},
		"panics":  {func() (Token, error) { panic("source") }, []string{"panic: source", "B", ErrWaiting.Error(), "asked 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, release := 0, make(chan struct{})
				tokens := Tokens{Source: func() (Token, error) {
					if asked++; asked > 1 {
						return &token{"B", true}, nil
					}
					<-release
					return c.end()
				}}
				results := make([]string, 3)
				call := func(i int, ctx context.Context) {
					defer func() {
						if p := recover(); p != nil {
							results[i] = fmt.Sprint("panic: ", p)
						}
					}()
					value, err := tokens.Value(ctx, time.Time{}, "")
					if err != nil {
						value = err.Error()
					}
					results[i] = value
				}
				go call(0, t.Context())
				synctest.Wait()
				go call(1, t.Context())
				ctx, cancel := context.WithCancel(t.Context())
				go call(2, ctx)
				synctest.Wait()
				cancel()
				synctest.Wait()
				close(release)
				synctest.Wait()
				if diff := cmp.Diff(c.want, append(results, fmt.Sprint("asked ", asked))); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// TestFirstGivesUp: the caller that asked ends with its context; the source is not asked again,
// and its token is kept.
func TestFirstGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		tokens := Tokens{Source: func() (Token, error) {
			asked++
			time.Sleep(2 * time.Second)
			return &token{"A", true}, nil
		}}
		start := time.Now()
		if value, err := tokens.Value(t.Context(), start.Add(100*time.Millisecond), ""); err != ErrOverdue || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%q, %v after %v", value, err, time.Since(start))
		}
		for range 2 {
			if value, err := tokens.Value(t.Context(), time.Time{}, ""); err != nil || value != "A" || asked != 1 || time.Since(start) != 2*time.Second {
				t.Errorf("%q, %v after %v; asked %d times", value, err, time.Since(start), asked)
			}
		}
	})
}

// TestLatePanic: a panic of the source when nobody waits any more ends nothing but that call.
func TestLatePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		tokens := Tokens{Source: func() (Token, error) {
			if asked++; asked == 1 {
				time.Sleep(time.Second)
				panic("source")
			}
			return &token{"B", true}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := tokens.Value(ctx, time.Time{}, ""); err != ErrWaiting {
			t.Error(err)
		}
		if value, err := tokens.Value(t.Context(), time.Time{}, ""); value != "B" || err != nil {
			t.Errorf("%q, %v", value, err)
		}
	})
}
