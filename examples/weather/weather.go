// Package weather is a small API client, to show how to test one.
package weather

import (
	"context"

	"github.com/mountable/requests"
)

// Now returns the temperature in a town.
func Now(ctx context.Context, s *requests.Session, town string) (celsius float64, err error) {
	report, err := requests.GetJSON[struct{ Celsius float64 }](ctx, s, "https://weather.example/now", requests.Params{{"town", town}})
	return report.Celsius, err
}
