// Command upload uploads a file of any size in a form, without reading it into memory, and shows its progress.
//
//	upload https://example.com/files report.pdf
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: upload URL FILE")
	}
	fields := toolbelt.Fields{
		{Name: "title", Value: "Report"},
		{Name: "file", Value: toolbelt.Path(os.Args[2])},
	}
	body, err := toolbelt.MonitorFields(fields, func(m *toolbelt.Monitor) {
		fmt.Fprintf(os.Stderr, "\r%3d%%", 100*m.BytesRead()/m.Len())
	})
	if err != nil {
		log.Fatal(err)
	}
	r, err := requests.Post(context.Background(), os.Args[1], body)
	if err == nil {
		err = r.RaiseForStatus()
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(os.Stderr)
	fmt.Println(r.StatusCode, r.Headers.Get("Location"))
}
