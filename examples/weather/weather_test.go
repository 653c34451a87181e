package weather

import (
	"errors"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
)

func TestNow(t *testing.T) {
	mock, s := adapters.NewMock(), requests.NewSession()
	s.Mount("https://weather.example/", mock)
	adaptertest.CheckClosed(t, s)
	url := "https://weather.example/now"
	mock.On("GET", url, adapters.Match{Query: requests.Params{{"town", "Bern"}}}).Reply(adapters.Reply{JSON: map[string]float64{"celsius": 21.5}})
	mock.On("GET", url).Reply(adapters.Reply{Status: 503})
	if celsius, err := Now(t.Context(), s, "Bern"); err != nil || celsius != 21.5 {
		t.Errorf("got %v, %v", celsius, err)
	}
	if _, err := Now(t.Context(), s, "Ys"); !errors.Is(err, requests.ErrHTTP) {
		t.Errorf("got %v", err)
	}
	if err := mock.Check(); err != nil {
		t.Error(err)
	}
}
