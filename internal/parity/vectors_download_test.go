package parity

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

var _ = register(map[string]vectorFunc{
	"toolbelt_filename":       toolbeltFilename,
	"toolbelt_download_path":  downloadPath,
	"toolbelt_stream_to_file": streamToFile,
	"toolbelt_tee":            teeVector,
	"toolbelt_threaded_map":   threadedMap,
})

var downloadNames = departure{
	kinds:   []string{"toolbelt_filename", "toolbelt_download_path", "toolbelt_stream_to_file"},
	applies: namedByServer,
	holds:   goodName,
}

// namedByServer tells whether the name in a recording is the server's, and one that the toolbelt reads in its own way.
func namedByServer(in input, want map[string]any) bool {
	header := in.text("content_disposition")
	_, params, _ := strings.Cut(header, ";")
	return want["error"] == "TypeError" || want["out"] == "" || strings.ContainsAny(params, "\"*\\/ \t\r\n") ||
		strings.Contains(strings.ToLower(params), "filename") && !strings.Contains(params, "filename")
}

// goodName wants the name that RFC 6266 finds, made safe, and none where there is none.
func goodName(o observed) bool {
	name, ok := toolbelt.SafeFilename(modelName(unlatin1(o.in.text("content_disposition"))))
	switch {
	case !ok && o.kind == "toolbelt_filename":
		return o.err == nil && o.got == nil
	case !ok:
		return refusedAs(toolbelt.ErrStreaming)(o)
	}
	return o.err == nil && resultName(o.result) == name
}

var (
	extendedName = regexp.MustCompile(`(?i);\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]*)`)
	quotedName   = regexp.MustCompile(`(?i);\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"`)
	plainName    = regexp.MustCompile(`(?i);\s*filename\s*=\s*([^";\s][^;\s]*)`)
	quotedPair   = regexp.MustCompile(`\\(.)`)
)

// modelName is a second reader of file names: the extended one first, then a quoted one, then a plain one.
func modelName(header string) string {
	name := ""
	if m := extendedName.FindStringSubmatch(header); m != nil {
		name, _ = url.PathUnescape(m[1])
	} else if m := quotedName.FindStringSubmatch(header); m != nil {
		name = quotedPair.ReplaceAllString(m[1], "$1")
	} else if m := plainName.FindStringSubmatch(header); m != nil {
		name = m[1]
	}
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// resultName is the file's name in what a runner of downloads returned, "" for none.
func resultName(r result) string {
	switch got := r.got.(type) {
	case string:
		return strings.TrimPrefix(got, "<DIR>/")
	case map[string]any:
		name, _ := got["returned"].(string)
		return strings.TrimPrefix(name, "<DIR>/")
	}
	return ""
}

func toolbeltFilename(_ *testing.T, in input) (any, error) {
	name, _ := toolbelt.Filename(unlatin1(in.text("content_disposition")))
	return orNull(toolbelt.SafeFilename(name)), nil
}

// download makes the response of a vector; its body comes in the recorded chunks.
func (in input) download() *requests.Response {
	var headers requests.Headers
	if in.present("content_disposition") {
		headers.Add("Content-Disposition", unlatin1(in.text("content_disposition")))
	}
	body := &tornBody{}
	for _, chunk := range in.list("chunks") {
		data, _, _ := input{map[string]any{"chunk": chunk}}.textOrBytes("chunk")
		body.left = append(body.left, data)
	}
	return requests.NewResponse(nil, 200, headers, body)
}

// tornBody is a chunked body.
type tornBody struct{ left [][]byte }

func (p *tornBody) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; len(p.left[0]) == 0 {
		p.left = p.left[1:]
	}
	return n, nil
}

func (p *tornBody) Close() error          { return nil }
func (p *tornBody) Chunked() bool         { return true }
func (p *tornBody) ChunkRemaining() int64 { return 0 }

func downloadPath(t *testing.T, in input) (any, error) {
	dir := t.TempDir()
	path, err := toolbelt.DownloadPath(in.download(), strings.ReplaceAll(in.text("path"), "<DIR>", dir))
	return strings.ReplaceAll(path, dir, "<DIR>"), err
}

func streamToFile(t *testing.T, in input) (any, error) {
	if in.text("path") == "fileobj" {
		return streamToWriter(in)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range in.texts("existing") {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			return nil, err
		}
	}
	path, err := toolbelt.StreamResponseToFile(in.download(), strings.ReplaceAll(in.text("path"), "<DIR>", dir))
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	return map[string]any{"returned": strings.ReplaceAll(path, dir, "<DIR>"), "written": b64(content)}, err
}

// streamToWriter lets the writer tell its name, which in Go its owner knows.
func streamToWriter(in input) (any, error) {
	var w sizes
	_, err := toolbelt.StreamResponseToWriter(in.download(), &w)
	name := orNull(in.text("fileobj_name"), in.present("fileobj_name"))
	return map[string]any{"returned": name, "written": b64(w.data), "writes": w.sizes, "closed": false}, err
}

// sizes remembers what is written to it.
type sizes struct {
	data  []byte
	sizes []any
}

func (s *sizes) Write(b []byte) (int, error) {
	s.data, s.sizes = append(s.data, b...), append(s.sizes, len(b))
	return len(b), nil
}

func teeVector(_ *testing.T, in input) (any, error) {
	target, isBytes := in.text("target"), in.text("fn") == "tee_to_bytearray"
	if isBytes != (target == "bytearray") || target == "list" || target == "stringio" || target == "file_w" {
		return nil, cannot("a tee into %s", target)
	}
	var options []toolbelt.DownloadOption
	if in.present("chunksize") {
		options = append(options, toolbelt.ChunkSize(in.int("chunksize")))
	}
	if in.bool("decode_content") {
		options = append(options, toolbelt.Decoded())
	}
	var slice []byte
	var buffer bytes.Buffer
	chunks := toolbelt.Tee(in.download(), &buffer, options...)
	if isBytes {
		chunks = toolbelt.TeeToBytes(in.download(), &slice, options...)
	}
	yielded := []any{}
	for chunk, err := range chunks {
		if err != nil {
			return nil, err
		}
		yielded = append(yielded, b64(bytes.Clone(chunk)))
	}
	args := []any{in.intOr("chunksize", 65536), in.fields["decode_content"]}
	return map[string]any{"yielded": yielded, "stored": b64(append(slice, buffer.Bytes()...)), "stream_args": args}, nil
}

func threadedMap(t *testing.T, in input) (any, error) {
	jobs, kwargs, err := mapJobs(in)
	if err != nil {
		return nil, err
	}
	sessions, calls := 0, []any{}
	options := []toolbelt.PoolOption{
		toolbelt.Workers(in.intOr("num_processes", 1)),
		toolbelt.SessionFunc(func() *requests.Session {
			sessions++
			s := requests.NewSession()
			s.Mount("http://", failing(in))
			return s
		}),
	}
	trace := func(name string) func(*requests.Session) error {
		return func(*requests.Session) error { calls = append(calls, name); return nil }
	}
	if in.bool("trace") {
		options = append(options, toolbelt.Initializer(trace("init")), toolbelt.AuthGenerator(trace("auth")))
	}
	responses, exceptions, err := toolbelt.Map(t.Context(), jobs, options...)
	if err != nil {
		return nil, err
	}
	show := func(results iter.Seq[toolbelt.PoolResult]) []any {
		shown := []any{}
		for r := range results {
			item := []any{kwargs[r.Job]}
			if r.Err != nil {
				item = append(item, mostDerived(errorNames(r.Err)))
			} else {
				item = append(item, r.Response.StatusCode, r.Job.URL)
			}
			shown = append(shown, item)
		}
		return shown
	}
	return map[string]any{"responses": show(responses), "exceptions": show(exceptions), "sessions": sessions, "init_calls": calls}, nil
}

// mapJobs makes the jobs, and remembers what each was made of.
func mapJobs(in input) (jobs []*requests.Request, kwargs map[*requests.Request]any, err error) {
	kwargs = map[*requests.Request]any{}
	for _, item := range in.list("requests") {
		fields, ok := item.(map[string]any)
		if !ok {
			return nil, nil, cannot("a job that is %T", item)
		}
		job := input{fields}
		headers, _ := job.stringMap("headers")
		r := &requests.Request{Method: job.text("method"), URL: job.text("url")}
		for _, name := range sortedKeys(headers) {
			r.Headers.Add(name, headers[name])
		}
		jobs, kwargs[r] = append(jobs, r), fields
	}
	return jobs, kwargs, nil
}

// failing answers 200, or fails as recorded for a URL.
func failing(in input) requests.Adapter {
	fail, _ := in.stringMap("fail")
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		class, bad := fail[strings.TrimSuffix(p.URL, "/")]
		if !bad {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		for _, k := range slices.Backward(errorKinds) {
			if k.name == class {
				return nil, &requests.Error{Kind: k.kind}
			}
		}
		return nil, io.ErrUnexpectedEOF // no exception of Requests'
	})
}
