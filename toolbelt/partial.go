package toolbelt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/mountable/requests/internal/bounded"
)

// partialNote is what is remembered of a download that goes on another time.
type partialNote struct {
	URL       string `json:"url_sha256"` // a URL may hold secrets
	Validator string `json:"validator"`
	Total     int64  `json:"total"`

	Missing []*stretch `json:"missing,omitempty"` // gaps in the file
}

func (t *transfer) notePath() string { return t.partial() + ".json" }

func hashed(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:])
}

// reopen finds what an earlier call has left. A ".part" without its note is somebody
// else's file, and a link is nobody's partial download.
func (t *transfer) reopen() error {
	if err := (&newFile{target: t.path, overwrite: t.d.overwrite}).inspect(t.d); err != nil {
		return err
	}
	before, err := os.Lstat(t.partial())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	note, ok := t.readNote()
	if err != nil || !ok || !before.Mode().IsRegular() {
		return fail(ErrStreaming, fs.ErrExist, "%q is not a download to go on with", t.partial())
	}
	if err := t.openPartial(); err != nil {
		return err
	}
	now, err := t.file.file.Stat()
	if err == nil && os.SameFile(before, now) && note.URL == hashed(t.url) && note.Validator != "" {
		err = t.goOn(note, now.Size())
	} else if err == nil && !os.SameFile(before, now) {
		err = fs.ErrExist
	}
	if err != nil {
		t.file.file.Close()
		return t.file.broken(err)
	}
	return nil
}

// goOn takes over what is in the file, of which a note may name gaps. Gaps that do not fit
// the file say that nothing of it can be relied on.
func (t *transfer) goOn(note partialNote, size int64) error {
	t.offset, t.total, t.validator, t.seen = size, note.Total, note.Validator, note
	t.missing = slices.DeleteFunc(note.Missing, func(s *stretch) bool { return s != nil && s.Pos == s.End })
	if len(t.missing) == 0 {
		_, err := t.file.file.Seek(0, io.SeekEnd)
		return err
	}
	if !t.plausible(size) {
		t.offset, t.missing, t.validator = 0, nil, ""
		return nil
	}
	if t.offset = t.missing[0].Pos; t.d.parallel <= 1 {
		return t.closeGaps()
	}
	return nil
}

// plausible reports whether the gaps are within the body, one behind the other, and the
// file has what is between them.
func (t *transfer) plausible(size int64) bool {
	at := int64(0)
	for _, s := range t.missing {
		if s == nil || s.Pos < at || s.End <= s.Pos || s.End > t.total {
			return false
		}
		at = s.End
	}
	there := t.total // the last byte that the file must have
	for _, s := range slices.Backward(t.missing) {
		if s.End == there {
			there = s.Pos
		}
	}
	return size >= there
}

// openPartial opens the ".part" that is there; createPartial makes a new one, whose note
// is there first.
func (t *transfer) openPartial() error { return t.use(os.O_RDWR) }

func (t *transfer) createPartial() error {
	if err := t.writeNote(); err != nil {
		return err
	}
	return t.use(os.O_RDWR | os.O_CREATE | os.O_EXCL)
}

func (t *transfer) use(flags int) error {
	f := &newFile{target: t.path, overwrite: t.d.overwrite}
	if err := f.inspect(t.d); err != nil {
		return err
	}
	if err := f.open(t.partial(), flags, t.d.permissions()); err != nil {
		return err
	}
	t.file = f
	return nil
}

func (t *transfer) writeNote() error {
	text, err := json.Marshal(partialNote{hashed(t.url), t.validator, t.total, t.missing})
	if err != nil {
		return err
	}
	f, err := createFile(t.notePath(), &download{overwrite: true, mode: 0o600})
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.discard()
		return err
	}
	return f.commit()
}

// maxNote is more than any note has.
const maxNote = 16 << 10

func (t *transfer) readNote() (partialNote, bool) {
	var note partialNote
	info, err := os.Lstat(t.notePath())
	if err != nil || !info.Mode().IsRegular() {
		return note, false
	}
	text, err := bounded.ReadFile(t.notePath(), maxNote)
	return note, err == nil && json.Unmarshal(text, &note) == nil
}

// forget removes the note.
func (t *transfer) forget() { os.Remove(t.notePath()) }

// empty makes the file new.
func (f *newFile) empty() error {
	f.buffer.Reset(f.file)
	if err := f.file.Truncate(0); err != nil {
		return f.broken(err)
	}
	_, err := f.file.Seek(0, io.SeekStart)
	return f.broken(err)
}

// replay gives what is in the file to checks that have not seen it.
func (f *newFile) replay(c *checks) error {
	for _, own := range c.own {
		own.Reset()
	}
	if len(c.own) == 0 {
		return nil
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return f.broken(err)
	}
	block := make([]byte, fileChunk)
	for {
		n, err := f.file.Read(block)
		c.saved(block[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return f.broken(err)
		}
	}
}
