package adapters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mountable/requests"
)

// archive is what is read of an HTTP Archive (HAR 1.2): those of toolbelt.HAR, of browsers
// and of other tools.
type archive struct {
	Log *struct {
		Entries []archived `json:"entries"`
	} `json:"log"`
}

type archived struct {
	Request struct {
		Method  string          `json:"method"`
		URL     string          `json:"url"`
		Headers archivedHeaders `json:"headers"`
		Body    archivedBody    `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int             `json:"status"`
		Reason  string          `json:"statusText"`
		Proto   string          `json:"httpVersion"`
		Headers archivedHeaders `json:"headers"`
		Content archivedBody    `json:"content"`
	} `json:"response"`
}

type archivedHeaders []struct{ Name, Value string }

type archivedBody struct {
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Sent     string `json:"_encoding"` // of a request's
	Cut      bool   `json:"_incomplete"`
}

// isArchive reports whether data is an HTTP Archive.
func isArchive(data []byte) bool {
	var a struct {
		Log json.RawMessage `json:"log"`
	}
	return json.Unmarshal(data, &a) == nil && len(a.Log) > 0 && a.Log[0] == '{'
}

// decodeArchive reads the exchanges that can be replayed: not the failures, and not the
// bodies that are not whole. What a cassette would have masked is masked.
func (c *cassette) decodeArchive(data []byte) ([]tapedExchange, error) {
	var a archive
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &a); err != nil {
		return nil, err
	}
	var exchanges []tapedExchange
	for i := range a.Log.Entries {
		e := &a.Log.Entries[i]
		if e.Response.Status == 0 || e.Response.Content.Cut {
			continue
		}
		one, err := c.unarchive(e)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		exchanges = append(exchanges, one)
	}
	return exchanges, checkTape(exchanges)
}

func (c *cassette) unarchive(e *archived) (one tapedExchange, err error) {
	sent := e.Request.Headers.fields()
	one.Request = tapedRequest{Method: e.Request.Method, URL: strings.ToValidUTF8(c.secrets.URL(e.Request.URL), "\ufffd"), Headers: tapedHeaders(c.secrets.Fields(sent))}
	if one.Request.Body, err = e.Request.Body.content(); err != nil {
		return one, err
	}
	one.Request.Body = c.secrets.Body(sent.Get("Content-Type"), one.Request.Body)
	headers := e.Response.Headers.fields()
	content, err := e.Response.Content.content()
	headers.Del("Content-Encoding") // undone
	headers.Del("Transfer-Encoding")
	content = c.secrets.Body(headers.Get("Content-Type"), content)
	if one.Request.Method != "HEAD" && headers.Has("Content-Length") {
		headers.Set("Content-Length", strconv.Itoa(len(content)))
	}
	one.Response = tapedResponse{Status: e.Response.Status, Reason: tapedText(e.Response.Reason), Proto: proto(e.Response.Proto), Headers: tapedHeaders(c.secrets.Fields(headers)), Body: content}
	return one, err
}

// fields are the header fields as they were: without the pseudo fields of HTTP/2, and each
// of several that were written as one in lines.
func (h archivedHeaders) fields() (fields requests.Headers) {
	for _, f := range h {
		if f.Name == "" || f.Name[0] == ':' {
			continue
		}
		for value := range strings.SplitSeq(f.Value, "\n") {
			fields = append(fields, [2]string{f.Name, strings.TrimRight(value, "\r")})
		}
	}
	return fields
}

func (b *archivedBody) content() ([]byte, error) {
	if b.Encoding == "base64" || b.Sent == "base64" {
		return base64.StdEncoding.DecodeString(b.Text)
	}
	if !utf8.ValidString(b.Text) {
		return nil, fmt.Errorf("a body is not text")
	}
	return []byte(b.Text), nil
}

// proto is a version as responses have it: browsers write "h2", and "http/2.0".
func proto(version string) string {
	switch version = strings.ToUpper(version); version {
	case "H2", "HTTP/2":
		return "HTTP/2.0"
	case "H3", "HTTP/3":
		return "HTTP/3.0"
	}
	if !strings.HasPrefix(version, "HTTP/") {
		return ""
	}
	return version
}
