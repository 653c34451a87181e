package toolbelt

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/integrity"
	"github.com/mountable/requests/internal/wire"
)

// Checksum makes a download fail with [ErrChecksum] if what is saved has another
// digest. The algorithm is "sha256", "sha512", "sha384", "sha1" or "md5", also
// written "SHA-256"; sum is in hexadecimal or base64. An unknown algorithm and a sum
// of the wrong length are [requests.ErrInvalidArgument]. It may be given several times.
//
// Without it, the sha-256 and sha-512 of the fields Repr-Digest and Content-Digest (RFC
// 9530) are checked where a response has them: on the bytes as they came, before
// their content coding was undone.
func Checksum(algorithm, sum string) DownloadOption {
	return func(d *download) {
		c := newCheck(algorithm, "Checksum")
		if c == nil {
			d.err = invalid("Checksum: the algorithm %q is not known", algorithm)
			return
		}
		if c.want = decodeSum(sum, c.Size()); c.want == nil {
			d.err = invalid("Checksum: %q is not a sum of %s: that has %d bytes in hexadecimal or base64", sum, c.name, c.Size())
			return
		}
		d.checks = append(d.checks, c)
	}
}

// IgnoreDigest leaves Repr-Digest and Content-Digest unchecked.
func IgnoreDigest() DownloadOption { return func(d *download) { d.ignoreDigest = true } }

// check compares a digest with what it has to be.
type check struct {
	hash.Hash
	name   string // of the algorithm
	source string // who says so
	want   []byte
}

var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// newCheck returns nil where the algorithm is not known.
func newCheck(algorithm, source string) *check {
	name := strings.ReplaceAll(strings.ToLower(algorithm), "-", "")
	if hashes[name] == nil {
		return nil
	}
	return &check{Hash: hashes[name](), name: name, source: source}
}

// decodeSum reads size bytes in hexadecimal or base64, nil if they are not there.
func decodeSum(sum string, size int) []byte {
	decoders := []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.URLEncoding.DecodeString,
	}
	for _, decode := range decoders {
		if raw, err := decode(strings.TrimSpace(sum)); err == nil && len(raw) == size {
			return raw
		}
	}
	return nil
}

func (c *check) verify() error {
	if got := c.Sum(nil); !bytes.Equal(got, c.want) {
		return fail(ErrChecksum, nil, "the download has the %s %x, and not %x as %s says", c.name, got, c.want, c.source)
	}
	return nil
}

// digestFields returns the checks that a response asks for. Repr-Digest is about the
// whole, also where only a part came.
func digestFields(r *requests.Response) []*check {
	checks := fieldChecks(r, "Content-Digest")
	if r.StatusCode == 206 {
		return checks
	}
	return append(checks, fieldChecks(r, "Repr-Digest")...)
}

// fieldChecks returns those of one field.
func fieldChecks(r *requests.Response, field string) []*check {
	var checks []*check
	said := integrity.Parse(r.Headers.Values(field))
	for _, name := range slices.Sorted(maps.Keys(said)) {
		c := newCheck(name, field)
		c.want = said[name]
		checks = append(checks, c)
	}
	return checks
}

// checks are all that are due for one body: on what is saved, and on what came.
type checks struct {
	own  []*check
	came *came
}

// watch prepares the checks of r, before anything of it is read.
func (d *download) watch(r *requests.Response) *checks {
	c := &checks{own: d.checks}
	for _, own := range c.own {
		own.Reset()
	}
	if d.ignoreDigest {
		return c
	}
	announced := digestFields(r)
	switch {
	case len(announced) == 0:
	case !r.Headers.Has("Content-Encoding"):
		c.own = append(c.own[:len(c.own):len(c.own)], announced...)
	case r.Raw != nil:
		c.came = &came{checks: announced}
		r.Raw = wire.Tap(r.Raw, c.came.see)
	}
	return c
}

func (c *checks) saved(chunk []byte) {
	for _, own := range c.own {
		own.Write(chunk)
	}
}

func (c *checks) verify() error {
	all := c.own
	if c.came != nil && c.came.used { // else the body was in memory, decoded
		all = append(all[:len(all):len(all)], c.came.checks...)
	}
	for _, one := range all {
		if err := one.verify(); err != nil {
			return err
		}
	}
	return nil
}

// came are the checks of a raw body.
type came struct {
	checks []*check
	used   bool
}

func (c *came) see(b []byte, how error) error {
	c.used = c.used || how != wire.ErrClosed
	for _, one := range c.checks {
		one.Write(b)
	}
	return nil
}
