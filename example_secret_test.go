package requests_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/mountable/requests"
)

func ExampleSecret() {
	config := struct {
		User     string
		Password requests.Secret
	}{"ada", "hunter2"}
	auth := requests.BasicAuth(config.User, string(config.Password))

	fmt.Printf("%+v %v\n", config, auth)
	data, _ := json.Marshal(config)
	fmt.Println(string(data))
	// Output:
	// {User:ada Password:***} Basic(ada)
	// {"User":"ada","Password":"***"}
}

func ExampleAddSecretNames() {
	requests.AddSecretNames("badge-number")
	headers := requests.Headers{{"Accept", "*/*"}, {"X-Api-Key", "hunter2"}, {"Badge-Number", "4711"}}

	fmt.Println(headers)
	plain := slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}
	slog.New(slog.NewTextHandler(os.Stdout, &plain)).Info("sent", "headers", headers)
	// Output:
	// [[Accept */*] [X-Api-Key ***] [Badge-Number ***]]
	// msg=sent headers="[[Accept */*] [X-Api-Key ***] [Badge-Number ***]]"
}
