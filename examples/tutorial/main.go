// Command tutorial is the program of docs/tutorial.md.
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
	if len(os.Args) != 2 {
		log.Fatal("usage: SITE_PASSWORD=… tutorial SITE")
	}
	if err := run(context.Background(), requests.NewSession(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s *requests.Session, url string) error {
	s.RaiseForStatus = true
	login := requests.Form{{"user", "ada"}, {"password", os.Getenv("SITE_PASSWORD")}}
	if _, err := s.Post(ctx, url+"/login", login); err != nil {
		return err
	}

	for r, err := range requests.Pages(ctx, s, url+"/reports") {
		if err != nil {
			return err
		}
		var names []string
		if err := r.JSON(&names); err != nil {
			return err
		}
		fmt.Println(r.URL, names)
	}

	fields := toolbelt.Fields{{Name: "title", Value: "Report"}, {Name: "file", Value: toolbelt.Path("report.pdf")}}
	body, err := toolbelt.MonitorFields(fields, func(m *toolbelt.Monitor) {
		fmt.Fprintf(os.Stderr, "\r%d of %d bytes", m.BytesRead(), m.Len())
	})
	if err != nil {
		return err
	}
	if _, err := s.Post(ctx, url+"/reports", body); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr)

	path, err := toolbelt.Download(ctx, s, url+"/reports/annual.pdf", "annual.pdf", toolbelt.KeepPartial())
	if err != nil {
		return err
	}
	fmt.Println("saved as", path)
	return nil
}
