// Package codec knows the media types whose bodies hold a value.
package codec

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/charset"
)

// The media types that can be read without anything being registered.
const (
	JSONType = "application/json"
	XMLType  = "application/xml"
)

// Of returns the codec of a media type, which is in lower case, from codecs whose names are in
// any letter case; the zero value where there is none.
func Of[C any](codecs map[string]C, mediaType string) (found C) {
	found, ok := codecs[mediaType]
	if ok {
		return found
	}
	for name, c := range codecs {
		if ascii.EqualFold(name, mediaType) {
			return c
		}
	}
	return found
}

// TypeOf returns the media type of a Content-Type, in lower case, and its [Base].
func TypeOf(contentType string) (mediaType, base string) {
	mediaType = charset.MediaType(contentType)
	return mediaType, Base(mediaType)
}

// Base returns the media type by whose rules one is read (RFC 6839 section 3, RFC 7303 section
// 4.2): "application/json" for "application/problem+json", and "application/xml" for "text/xml".
func Base(mediaType string) string {
	if mediaType == "text/xml" || mediaType == "text/json" {
		return "application/" + mediaType[len("text/"):]
	}
	if i := strings.LastIndexByte(mediaType, '+'); i >= 0 {
		return "application/" + mediaType[i+1:]
	}
	return mediaType
}

// XML decodes a document into v, a pointer. Its charset is that of its byte order mark, else of
// contentType, else of its declaration, and UTF-8 where nothing says (RFC 7303 section 3.2).
func XML(data []byte, contentType string, v any) error {
	_, params, _ := strings.Cut(contentType, ";")
	name := cmp.Or(charset.JSONEncoding(data), charset.FromContentType(XMLType+";"+params), charset.XMLEncoding(data), "utf-8")
	text, err := charset.DecodeStrict(data, name)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	if err := d.Decode(v); err != nil {
		return err
	}
	return onlyMisc(d)
}

// onlyMisc makes sure that nothing but comments, processing instructions and blanks stands behind
// the root of a document (XML 1.0 section 2.1).
func onlyMisc(d *xml.Decoder) error {
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.Comment, xml.ProcInst:
			continue
		case xml.CharData:
			if len(bytes.Trim(token, " \t\r\n")) == 0 {
				continue
			}
		}
		return errors.New("something follows the root element of the document")
	}
}
