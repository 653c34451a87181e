// Package weather is a client of an API, small enough to show how one tests such a thing.
package weather

import (
	"context"

	"github.com/mountable/requests"
)

// Now returns the temperature of a town.
func Now(ctx context.Context, s *requests.Session, town string) (celsius float64, err error) {
	report, err := requests.GetJSON[struct{ Celsius float64 }](ctx, s, "https://weather.example/now", requests.Params{{"town", town}})
	return report.Celsius, err
}
