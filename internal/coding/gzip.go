package coding

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

var (
	errHeader   = errors.New("invalid header")
	errChecksum = errors.New("invalid checksum")
)

const inputBuffer = 8 << 10

// inflater is the pooled part of both deflate codings: the buffered input and
// the decompressor. Partial flush lets every complete block out at once.
type inflater struct {
	in    *bufio.Reader
	fl    io.ReadCloser
	flush flushEnd
}

var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, inputBuffer)
	return &inflater{in: in, fl: flate.NewReaderOpts(in, flate.WithPartialBlock())}
}}

func getInflater(src io.Reader) *inflater {
	f := inflaters.Get().(*inflater)
	f.in.Reset(src)
	return f
}

func (f *inflater) release() {
	f.in.Reset(nil)
	f.flush = flushEnd{}
	inflaters.Put(f)
}

// flushEnd completes deflated data that ends in a flush. A flush is an empty stored
// block, which ends on the border of a byte with the four bytes of flushMark; where the
// source ends behind one, the last block that is missing is put there. Data that ends
// in the same four bytes inside a block does not get through with it: what is put there
// would be data of that block, and the end of it is missing still.
type flushEnd struct {
	src      io.Reader
	armed    bool // the decompressor is inside the data
	last     [4]byte
	finished bool // the last block was put there
}

const (
	flushMark = "\x00\x00\xff\xff"
	lastBlock = "\x03\x00"
)

func (f *flushEnd) Read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	f.note(p[:n])
	if n > 0 || err != io.EOF || !f.armed || f.finished || string(f.last[:]) != flushMark {
		return n, err
	}
	f.finished = true
	return copy(p, lastBlock), nil
}

// note remembers the last bytes that came.
func (f *flushEnd) note(p []byte) {
	if n := len(p); n >= len(f.last) {
		copy(f.last[:], p[n-len(f.last):])
		return
	}
	copy(f.last[:], f.last[len(p):])
	copy(f.last[len(f.last)-len(p):], p)
}

func (f *inflater) restart() { _ = f.fl.(flate.Resetter).Reset(f.in, nil) }

// swallow reads what follows the coded data, so that the connection can be
// used again, and returns how the source ended.
func (f *inflater) swallow() error {
	for {
		if _, err := f.in.Discard(inputBuffer); err != nil {
			return err
		}
	}
}

// trailer reads the checksum bytes behind the data.
func (f *inflater) trailer(p []byte) error {
	if _, err := io.ReadFull(f.in, p); err != nil {
		return noEOF(err)
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// stage is what a reader of deflated data reads next.
type stage uint8

const (
	atHeader stage = iota
	inData
	atTrailer
	afterEnd
)

// gzipReader joins the members of a gzip stream (RFC 1952). The framing is
// done here rather than by a gzip package: data must not wait for the checksum
// behind it, and garbage after a member must be told from a damaged member.
type gzipReader struct {
	*inflater
	at      stage
	members int
	crc     uint32
	size    uint32
	head    uint32 // running CRC of the header

	withoutTrailer bool // a trailer may be missing
}

func newGzip(src io.Reader, withoutTrailer bool) *gzipReader {
	z := &gzipReader{inflater: getInflater(src), withoutTrailer: withoutTrailer}
	if withoutTrailer {
		z.flush.src = src
		z.in.Reset(&z.flush)
	}
	return z
}

func (z *gzipReader) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		switch z.at {
		case atHeader:
			err = z.header()
		case inData:
			n, err = z.data(p)
		case atTrailer:
			err = z.check()
		case afterEnd:
			err = z.swallow()
		}
	}
	return n, err
}

// header reads the head of a member; where there is none, the stream ends.
func (z *gzipReader) header() error {
	magic, err := z.in.Peek(2)
	switch {
	case len(magic) == 0:
		return err
	case magic[0] == 0x1f && len(magic) == 1:
		return noEOF(err)
	case len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b:
		if z.members == 0 {
			return errHeader
		}
		z.at = afterEnd
		return nil
	}
	if err := z.fields(); err != nil {
		return noEOF(err)
	}
	z.restart()
	z.crc, z.size, z.at = 0, 0, inData
	return nil
}

const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
	flagReserved  = 0xe0
)

func (z *gzipReader) fields() error {
	z.head = 0
	var fixed [10]byte
	if err := z.take(fixed[:]); err != nil {
		return err
	}
	flags := fixed[3]
	if fixed[2] != 8 || flags&flagReserved != 0 {
		return errHeader
	}
	if flags&flagExtra != 0 {
		if err := z.skipExtra(); err != nil {
			return err
		}
	}
	for _, text := range []byte{flagName, flagComment} {
		if flags&text != 0 {
			if err := z.skipText(); err != nil {
				return err
			}
		}
	}
	if flags&flagHeaderCRC == 0 {
		return nil
	}
	want := uint16(z.head)
	var sum [2]byte
	if err := z.take(sum[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint16(sum[:]) != want {
		return errHeader
	}
	return nil
}

// take reads header bytes, adding them to the header's CRC.
func (z *gzipReader) take(p []byte) error {
	_, err := io.ReadFull(z.in, p)
	z.head = crc32.Update(z.head, crc32.IEEETable, p)
	return err
}

func (z *gzipReader) skipExtra() error {
	var b [2]byte
	if err := z.take(b[:]); err != nil {
		return err
	}
	for range binary.LittleEndian.Uint16(b[:]) {
		if err := z.take(b[:1]); err != nil {
			return err
		}
	}
	return nil
}

func (z *gzipReader) skipText() error {
	b := [1]byte{1}
	for b[0] != 0 {
		if err := z.take(b[:]); err != nil {
			return err
		}
	}
	return nil
}

func (z *gzipReader) data(p []byte) (int, error) {
	z.flush.armed = true
	n, err := z.fl.Read(p)
	z.flush.armed = false
	if n > 0 && z.flush.finished {
		return 0, io.ErrUnexpectedEOF // made of what was put there
	}
	z.crc = crc32.Update(z.crc, crc32.IEEETable, p[:n])
	z.size += uint32(n)
	if err == io.EOF {
		z.at, err = atTrailer, nil
	}
	return n, err
}

func (z *gzipReader) check() error {
	if z.withoutTrailer {
		if rest, err := z.in.Peek(1); len(rest) == 0 && err == io.EOF {
			z.at = afterEnd
			return nil
		}
	}
	var sums [8]byte
	if err := z.trailer(sums[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sums[:]) != z.crc || binary.LittleEndian.Uint32(sums[4:]) != z.size {
		return errChecksum
	}
	z.members++
	z.at = atHeader
	return nil
}
