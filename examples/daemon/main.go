// Command daemon talks to an API like Docker's over a Unix socket: it lists the containers, and pulls an
// image, whose progress arrives as one JSON value a line.
//
//	daemon /var/run/docker.sock alpine
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: daemon SOCKET IMAGE")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, socket, image string) error {
	adapter, err := adapters.Unix(socket)
	if err != nil {
		return err
	}
	s := requests.NewSession()
	defer s.Close()
	s.RaiseForStatus = true
	s.BaseURL = "http://docker/v1.47/"
	s.Mount("http://docker/", adapter)

	containers, err := requests.GetJSON[[]struct{ ID, Image string }](ctx, s, "containers/json", requests.Params{{"all", "1"}})
	if err != nil {
		return err
	}
	for _, c := range containers {
		fmt.Println(c.ID, c.Image)
	}

	r, err := s.Post(ctx, "images/create", requests.Params{{"fromImage", image}}, requests.Stream(true))
	if err != nil {
		return err
	}
	for step, err := range requests.JSONLines[struct{ Status, Error string }](r) {
		if err != nil {
			return err
		}
		if step.Error != "" {
			return fmt.Errorf("pull %s: %s", image, step.Error)
		}
		fmt.Println(step.Status)
	}
	return nil
}
