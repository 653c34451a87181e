package cases

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Seeds returns the texts that a corpus has under the name field, in the part of the file that
// section names, for a fuzz target to begin with: of fields that end in _b64, what they stand for.
// There are none where the corpora are not.
func Seeds(corpus, section, field string) (all []string) {
	data, err := os.ReadFile(filepath.Join(CorporaDir(), corpus))
	var file map[string]any
	if err != nil || json.Unmarshal(data, &file) != nil {
		return nil
	}
	collect(file[section], field, func(text string) {
		if strings.HasSuffix(field, "_b64") {
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return
			}
			text = string(raw)
		}
		all = append(all, text)
	})
	return all
}

// FieldSeeds returns the values that the responses of all corpora have for a header field.
func FieldSeeds(name string) (all []string) {
	for _, corpus := range []string{"responses.json", "curlcmd.json"} {
		for _, raw := range Seeds(corpus, "cases", "raw_b64") {
			for line := range strings.Lines(raw) {
				field, value, ok := strings.Cut(line, ":")
				if ok && strings.EqualFold(field, name) {
					all = append(all, strings.TrimSpace(value))
				}
			}
		}
	}
	return all
}

// collect calls found with each text, or text of a list, that stands under the name field.
func collect(v any, field string, found func(string)) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			collect(element, field, found)
		}
	case map[string]any:
		for name, value := range v {
			if name != field {
				collect(value, field, found)
				continue
			}
			if text, ok := value.(string); ok {
				found(text)
			}
			list, _ := value.([]any)
			for _, element := range list {
				if text, ok := element.(string); ok {
					found(text)
				}
			}
		}
	}
}
