package main

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/mountable/requests"
)

// errBinary ends a body that a terminal does not show.
var errBinary = errors.New("binary")

// lines prints a body line by line, each as soon as its end is there.
func (p *printer) lines(r *requests.Response, kind string) error {
	for line, err := range r.TextLines() {
		switch {
		case err != nil:
			return err
		case p.terminal && strings.Contains(line, "\x00"):
			return p.binary()
		}
		if err := p.body([]byte(line+"\n"), kind); err != nil {
			return err
		}
	}
	return nil
}

// flow prints a body on a terminal as it comes, in UTF-8. Without a charset it is taken for that.
func (p *printer) flow(r *requests.Response) error {
	p.begun = true
	text := transform.NewReader(r, decoder(r.Encoding))
	held, last := "", "\n"
	for buffer := make([]byte, pieceSize); ; {
		n, err := text.Read(buffer)
		piece := held + string(buffer[:n])
		held = ""
		if strings.HasSuffix(piece, "\r") && err == nil {
			piece, held = piece[:len(piece)-1], "\r" // which may be half of a line end
		}
		if piece != "" {
			last = piece
			if err := p.piece(piece); err != nil {
				return p.unlessBinary(err)
			}
		}
		if err != nil {
			return p.ended(err, last)
		}
	}
}

// pieceSize is what is read at most before it is printed.
const pieceSize = 32 << 10

func (p *printer) piece(text string) error {
	if strings.Contains(text, "\x00") {
		return errBinary
	}
	_, err := io.WriteString(p, p.safe(text))
	return err
}

// ended ends the last line.
func (p *printer) ended(err error, last string) error {
	if err != io.EOF {
		return err
	}
	if !strings.HasSuffix(last, "\n") {
		_, err = io.WriteString(p, "\n")
		return err
	}
	return nil
}

func (p *printer) unlessBinary(err error) error {
	if errors.Is(err, errBinary) {
		return p.binary()
	}
	return err
}

func (p *printer) binary() error { return p.notice("the body is binary and not shown on a terminal") }

func decoder(charset string) *encoding.Decoder {
	if known, err := htmlindex.Get(charset); err == nil {
		return known.NewDecoder()
	}
	return unicode.UTF8.NewDecoder()
}
