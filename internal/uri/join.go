package uri

import "strings"

// Join resolves ref against base as urllib.parse.urljoin does: a base without a
// trailing slash loses its last segment, a scheme that knows no relative
// references (http+unix, mailto) gives ref alone, and surplus ".." segments
// vanish. Where Python raises (brackets that do not match) ref is returned, for
// the parser to refuse.
func Join(base, ref string) string {
	if base == "" {
		return ref
	}
	if ref == "" {
		return base
	}
	b, err := splitText(base)
	if err != nil {
		return ref
	}
	r, err := splitText(ref)
	if err != nil {
		return ref
	}
	if r.scheme == "" {
		r.scheme = b.scheme
	}
	if r.scheme != b.scheme || !usesRelative(r.scheme) {
		return ref
	}
	return resolve(b, r)
}

// resolve is the part of urljoin behind the look at the schemes.
func resolve(b, r split) string {
	if usesNetloc(r.scheme) {
		if r.netloc != "" {
			return r.withoutEmptyParams().String()
		}
		r.netloc = b.netloc
	}
	path, params := r.cutParams()
	if path == "" && params == "" {
		r.path = b.path
		if r.query == "" {
			r.query = b.query
		}
		return r.withoutEmptyParams().String()
	}
	basePath, _ := b.cutParams()
	r.path = joinPaths(basePath, path)
	if params != "" {
		r.path += ";" + params
	}
	return r.String()
}

func joinPaths(base, ref string) string {
	segments := strings.Split(ref, "/")
	if !strings.HasPrefix(ref, "/") {
		segments = relativeSegments(base, segments)
	}
	out := segments[:0:0]
	for _, s := range segments {
		switch s {
		case ".":
		case "..":
			out = out[:max(len(out)-1, 0)]
		default:
			out = append(out, s)
		}
	}
	if last := segments[len(segments)-1]; last == "." || last == ".." {
		out = append(out, "")
	}
	if path := strings.Join(out, "/"); path != "" {
		return path
	}
	return "/"
}

// relativeSegments puts ref behind the directory of base, without the empty
// segments between the first and the last.
func relativeSegments(base string, ref []string) []string {
	dir := strings.Split(base, "/")
	if dir[len(dir)-1] != "" {
		dir = dir[:len(dir)-1]
	}
	all := append(dir, ref...)
	out := all[:min(1, len(all))]
	for i := 1; i < len(all); i++ {
		if all[i] != "" || i == len(all)-1 {
			out = append(out, all[i])
		}
	}
	return out
}
