package dial

import "encoding/binary"

// EncodeOptions makes a comparable value of socket options.
func EncodeOptions(options []SocketOption) string {
	var b []byte
	for _, o := range options {
		b = binary.AppendVarint(b, int64(o.Level))
		b = binary.AppendVarint(b, int64(o.Name))
		b = binary.AppendVarint(b, int64(o.Int))
		b = binary.AppendVarint(b, int64(len(o.Bytes)))
		if o.Bytes == nil {
			b[len(b)-1] = 1 // an odd varint is negative: no bytes at all
		}
		b = append(b, o.Bytes...)
	}
	return string(b)
}

// DecodeOptions returns what EncodeOptions was given.
func DecodeOptions(encoded string) []SocketOption {
	var options []SocketOption
	for rest := []byte(encoded); len(rest) > 0; {
		var o SocketOption
		var length int64
		for _, field := range []*int{&o.Level, &o.Name, &o.Int} {
			v, n := binary.Varint(rest)
			*field, rest = int(v), rest[n:]
		}
		length, n := binary.Varint(rest)
		rest = rest[n:]
		if length >= 0 {
			o.Bytes = append([]byte{}, rest[:length]...)
			rest = rest[length:]
		}
		options = append(options, o)
	}
	return options
}

// NoDelay turns Nagle's algorithm off. IPPROTO_TCP is 6 and TCP_NODELAY 1 on every platform that Go
// runs on.
var NoDelay = SocketOption{Level: 6, Name: 1, Int: 1}
