package toolbelt_test

import (
	"fmt"
	"path/filepath"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func ExampleSaveSession() {
	dir, remove := temporary()
	defer remove()
	path := filepath.Join(dir, "session.json")
	s := requests.NewSession()
	s.BaseURL = "https://api.example.com/v1/"
	s.Headers = requests.Headers{{"User-Agent", "me/1.0"}, {"X-Team", "search"}, {"X-Api-Key", "s3cret"}}
	fmt.Println(toolbelt.SaveSession(s, path))
	loaded, err := toolbelt.LoadSession(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(loaded.BaseURL, loaded.Headers)
	// Output:
	// <nil>
	// https://api.example.com/v1/ [[User-Agent me/1.0] [X-Team search]]
}
