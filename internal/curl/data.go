package curl

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/bounded"
	"github.com/mountable/requests/internal/multipart"
)

// maxFile is the most that is read of one file: more than a body in memory should have.
const maxFile = 256 << 20

// readFile reads a regular file. Standard input, pipes and devices are somebody else's.
func readFile(name string) ([]byte, error) {
	if name == "-" {
		return nil, errors.New("standard input is not read")
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is not a regular file", name)
	}
	return bounded.ReadFile(name, maxFile)
}

// addData appends to the body, behind an ampersand where there is one already.
func (p *parser) addData(data []byte, separate bool) {
	if separate && p.HasBody {
		p.Body = append(p.Body, '&')
	}
	p.Body, p.HasBody = append(p.Body, data...), true
}

// data is text, or a file without its line ends.
func (p *parser) data(v string) error {
	data, err := textOrFile(v)
	if strings.HasPrefix(v, "@") {
		data = slices.DeleteFunc(data, func(c byte) bool { return c == '\r' || c == '\n' || c == 0 })
	}
	p.addData(data, true)
	return err
}

func textOrFile(v string) ([]byte, error) {
	if name, ok := strings.CutPrefix(v, "@"); ok {
		return readFile(name)
	}
	return []byte(v), nil
}

func (p *parser) dataBinary(v string) error {
	data, err := textOrFile(v)
	p.addData(data, true)
	return err
}

func (p *parser) dataURLEncode(v string) error {
	data, err := urlEncoded(v)
	p.addData(data, true)
	return err
}

// urlEncoded reads "content", "=content", "name=content", "@file" and "name@file".
func urlEncoded(v string) ([]byte, error) {
	i := strings.IndexAny(v, "=@")
	if i < 0 {
		return []byte(url.QueryEscape(v)), nil
	}
	name, content := v[:i], []byte(v[i+1:])
	if v[i] == '@' {
		var err error
		if content, err = readFile(v[i+1:]); err != nil {
			return nil, err
		}
	}
	if name != "" {
		name += "="
	}
	return []byte(name + url.QueryEscape(string(content))), nil
}

// json is data with the fields of JSON. Several are one text.
func (p *parser) json(v string) error {
	data, err := textOrFile(v)
	p.addData(data, false)
	p.isJSON = true
	return err
}

func (p *parser) upload(v string) error {
	if p.uploads {
		return errors.New("a request has one body")
	}
	data, err := readFile(v)
	p.fileName, p.uploads, p.uploaded = v, true, data
	return err
}

// finishBody allows one kind of body, and names its type as curl does.
func (p *parser) finishBody() error {
	kinds := 0
	for _, given := range []bool{p.HasBody, len(p.Parts) > 0, p.uploads} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return errors.New("-d, -F and -T cannot be given together")
	case p.head && kinds > 0:
		return errors.New("-I and a body cannot be given together; -G puts the data into the URL")
	case p.uploads:
		p.Body, p.HasBody = p.uploaded, true
	case p.isJSON:
		p.byDefault("Content-Type", "application/json")
		p.byDefault("Accept", "application/json")
	case p.HasBody:
		p.byDefault("Content-Type", "application/x-www-form-urlencoded")
	}
	p.frame()
	return nil
}

// frame takes the field out that asks for chunks, and what leaves out a field that is given:
// such a flag is about what curl sends by itself.
func (p *parser) frame() {
	given := map[string]bool{}
	for _, f := range p.Headers {
		given[ascii.Lower(f[0])] = true
	}
	p.Without = slices.DeleteFunc(p.Without, func(name string) bool { return given[ascii.Lower(name)] })
	if coding, ok := get(p.Headers, "Transfer-Encoding"); ok && p.HasBody && strings.EqualFold(coding, "chunked") {
		p.Chunked = true
		p.Headers = slices.DeleteFunc(p.Headers, func(f [2]string) bool {
			return strings.EqualFold(f[0], "Transfer-Encoding") || strings.EqualFold(f[0], "Content-Length")
		})
	}
}

func (p *parser) byDefault(name, value string) {
	if !p.has(name) {
		p.Headers = append(p.Headers, [2]string{name, value})
	}
}

// --- multipart ---

func (p *parser) formString(v string) error {
	name, content, ok := strings.Cut(v, "=")
	if !ok {
		return errors.New("expected \"name=content\"")
	}
	p.Parts = append(p.Parts, Part{Name: name, Content: []byte(content)})
	return nil
}

// form reads "name=content", "name=@file" and "name=<file", with ";type=", ";filename=" and
// ";headers=" behind.
func (p *parser) form(v string) error {
	name, rest, ok := strings.Cut(v, "=")
	if !ok {
		return errors.New("expected \"name=content\", \"name=@file\" or \"name=<file\"")
	}
	part := Part{Name: name}
	content, err := part.attributes(rest)
	if err != nil {
		return err
	}
	switch {
	case !strings.HasPrefix(rest, content[:min(1, len(content))]): // blanks before it, or quotes: it names no file
		part.Content = []byte(content)
	case strings.HasPrefix(content, "@"):
		if strings.Contains(content, ",") {
			return errors.New("several files in one field: give each a -F of its own")
		}
		part.IsFile = true
		if part.FileName == "" {
			part.FileName = path.Base(content[1:])
		}
		if part.Type == "" {
			part.Type = multipart.GuessContentType(part.FileName)
		}
		part.Content, err = readFile(content[1:])
	case strings.HasPrefix(content, "<"):
		part.Content, err = readFile(content[1:])
	default:
		part.Content = []byte(content)
	}
	p.Parts = append(p.Parts, part)
	return err
}

// attributes reads what follows the content, and returns the content.
func (part *Part) attributes(rest string) (string, error) {
	content, rest, err := formValue(strings.TrimLeft(rest, " \t\r\n"), true)
	for err == nil && rest != "" {
		key, value, _ := strings.Cut(strings.TrimLeft(rest[1:], " "), "=")
		if value, rest, err = formValue(value, key == "type"); err != nil {
			break
		}
		switch key {
		case "type":
			part.Type = value
		case "filename":
			part.FileName, part.IsFile = value, true
		case "headers":
			name, field, ok := strings.Cut(value, ":")
			if !ok || strings.HasPrefix(value, "@") {
				return "", errors.New("expected \";headers=Name: value\"")
			}
			part.Headers = append(part.Headers, [2]string{name, strings.TrimSpace(field)})
		default:
			return "", fmt.Errorf("%q behind the content is not known; --form-string takes it as it is", ";"+key)
		}
	}
	return content, err
}

// formValue takes a value, in quotes or up to a semicolon. In content and media types one
// that no attribute follows belongs to them.
func formValue(s string, loose bool) (value, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		var out []byte
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+1 < len(s):
				i++
				out = append(out, s[i])
			case s[i] == '"':
				return string(out), s[i+1:], nil
			default:
				out = append(out, s[i])
			}
		}
		return "", "", errOpenQuote
	}
	for i := range len(s) {
		if s[i] == ';' && (!loose || startsAttribute(s[i+1:])) {
			return s[:i], s[i:], nil
		}
	}
	return s, "", nil
}

func startsAttribute(s string) bool {
	s = strings.TrimLeft(s, " ")
	for _, key := range []string{"type=", "filename=", "headers=", "encoder="} {
		if strings.HasPrefix(s, key) {
			return true
		}
	}
	return false
}
