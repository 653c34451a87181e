// Command download saves a file and verifies its checksum. If the connection breaks it resumes, and if
// the program is interrupted, its next run resumes.
//
//	download https://example.com/image.iso image.iso 9f86d081884c7d65…
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: download URL FILE SHA256")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := toolbelt.Download(ctx, requests.NewSession(), os.Args[1], os.Args[2],
		toolbelt.KeepPartial(),
		toolbelt.Checksum("sha256", os.Args[3]),
		toolbelt.OnProgress(func(done, total int64) { fmt.Fprintf(os.Stderr, "\r%d of %d", done, total) }))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(os.Stderr)
	fmt.Println("complete:", path)
}
