package coding

import (
	"encoding/binary"
	"hash"
	"hash/adler32"
	"io"
)

// deflateReader undoes "deflate": the zlib format (RFC 1950), or the bare
// deflate data (RFC 1951) some servers send under that name.
type deflateReader struct {
	*inflater
	at  stage
	sum hash.Hash32 // nil for bare data
}

func newDeflate(src io.Reader) *deflateReader { return &deflateReader{inflater: getInflater(src)} }

func (d *deflateReader) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		switch d.at {
		case atHeader:
			err = d.header()
		case inData:
			n, err = d.data(p)
		case atTrailer:
			err = d.check()
		case afterEnd:
			err = d.swallow()
		}
	}
	return n, err
}

// header decides between the two formats. The first byte of a zlib stream read
// as bare data would be a stored block with padding no encoder writes, so two
// bytes are enough to be sure.
func (d *deflateReader) header() error {
	head, err := d.in.Peek(2)
	if len(head) == 0 {
		return err
	}
	if len(head) < 2 {
		return noEOF(err)
	}
	if isZlib(head) {
		_, _ = d.in.Discard(len(head))
		d.sum = adler32.New()
	}
	d.restart()
	d.at = inData
	return nil
}

// isZlib checks method, window and check bits of a zlib header, and that it
// asks for no dictionary.
func isZlib(head []byte) bool {
	const dictionary = 1 << 5
	return head[0]&0x0f == 8 && head[0]>>4 <= 7 && head[1]&dictionary == 0 && binary.BigEndian.Uint16(head)%31 == 0
}

func (d *deflateReader) data(p []byte) (int, error) {
	n, err := d.fl.Read(p)
	if d.sum != nil {
		_, _ = d.sum.Write(p[:n])
	}
	if err == io.EOF {
		d.at, err = atTrailer, nil
	}
	return n, err
}

func (d *deflateReader) check() error {
	if d.sum != nil {
		var sum [4]byte
		if err := d.trailer(sum[:]); err != nil {
			return err
		}
		if binary.BigEndian.Uint32(sum[:]) != d.sum.Sum32() {
			return errChecksum
		}
	}
	d.at = afterEnd
	return nil
}
