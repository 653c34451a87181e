package cache

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/mountable/requests"
)

// entry is a stored response to GET.
type entry struct {
	times
	status        int
	reason, proto string
	headers       requests.Headers
	body          []byte
}

// index says by which fields the responses of a URL are chosen. Its generation is part of the
// keys of the variants: those of an index that was removed are never found again.
type index struct {
	generation string
	names      []string // in lower case, sorted
}

// A record is what a store holds under a key: the magic, a checksum of the rest, the key, and
// an entry or an index. Texts and numbers are preceded by, or are, unsigned varints.
const magic = "RQC1"

const (
	entryRecord = 'E'
	indexRecord = 'I'
)

// errDamaged is a record that is not whole, not of this package, or of another key.
var errDamaged = errors.New("the entry is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// pack makes the record of an entry or, where e is nil, of an index.
func pack(key string, e *entry, x *index) []byte {
	size := 128 + len(key)
	if e != nil {
		size += len(e.body) + 64*len(e.headers)
	}
	b := append(make([]byte, 0, size), magic+"----"...)
	b = appendText(b, key)
	if e == nil {
		b = appendText(append(b, indexRecord), x.generation)
		b = appendTexts(b, x.names)
	} else {
		b = e.append(append(b, entryRecord))
	}
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

func (e *entry) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(e.status))
	b = binary.AppendUvarint(b, uint64(e.asked.UnixNano()))
	b = binary.AppendUvarint(b, uint64(e.received.UnixNano()))
	texts := []string{e.reason, e.proto}
	for name, value := range e.headers.All() {
		texts = append(texts, name, value)
	}
	return append(appendTexts(b, texts), e.body...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTexts writes how many there are and how long they are, and then all of them: they
// are read back with one allocation.
func appendTexts(b []byte, texts []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
	}
	for _, s := range texts {
		b = append(b, s...)
	}
	return b
}

// unpack reads the record of a key. The body of the entry is part of data.
func unpack(key string, data []byte) (*entry, *index, error) {
	if len(data) < 8 || string(data[:4]) != magic || binary.BigEndian.Uint32(data[4:]) != crc32.Checksum(data[8:], castagnoli) {
		return nil, nil, errDamaged
	}
	r := &reader{data: data[8:]}
	if string(r.bytes()) != key {
		return nil, nil, errDamaged
	}
	switch r.byte() {
	case indexRecord:
		x := &index{generation: string(r.bytes()), names: r.texts()}
		r.bad = r.bad || len(x.names) > maxNames
		return nil, x, r.end()
	case entryRecord:
		e := r.entry()
		return e, nil, r.end()
	}
	return nil, nil, errDamaged
}

// reader takes a record apart. What is behind its end is empty, and bad is set.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) end() error {
	if r.bad {
		return errDamaged
	}
	return nil
}

func (r *reader) entry() *entry {
	e := &entry{status: int(r.number())}
	e.asked, e.received = time.Unix(0, int64(r.number())), time.Unix(0, int64(r.number()))
	texts := r.texts()
	if len(texts) < 2 || len(texts)%2 != 0 {
		r.bad = true
		return nil
	}
	e.reason, e.proto = texts[0], texts[1]
	e.headers = make(requests.Headers, 0, len(texts)/2-1)
	for i := 2; i < len(texts); i += 2 {
		e.headers = append(e.headers, [2]string{texts[i], texts[i+1]})
	}
	e.body = r.data
	return e
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) bytes() []byte { return r.take(r.number()) }

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) texts() []string {
	n := r.number()
	if n > uint64(len(r.data)) { // each has at least a length
		r.bad = true
		return nil
	}
	texts, lengths := make([]string, n), *r
	var total uint64
	for range n {
		size := r.number()
		if size > uint64(len(r.data)) {
			r.bad = true
			return nil
		}
		total += size
	}
	all := string(r.take(total))
	if r.bad {
		return nil
	}
	for i := range texts {
		size := lengths.number()
		texts[i], all = all[:size], all[size:]
	}
	return texts
}
