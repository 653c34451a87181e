package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt/fleet"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

func TestCommands(t *testing.T) {
	f, err := fleet.Open(t.Context(), fleet.Embedded(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Enqueue(t.Context(), slices.Values([]*requests.Request{{URL: "http://h.example/"}}), fleet.Tags("a")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fleetCommand := func(args ...string) {
		t.Helper()
		out.Reset()
		if err := run(t.Context(), append([]string{"-url", f.URL(), "-json", "-hosts"}, args...), &out); err != nil {
			t.Fatal(args, err)
		}
	}
	fleetCommand("pause")
	fleetCommand("cancel", "a")
	fleetCommand("status")
	var got struct {
		fleet.Status
		Hosts map[string]fleet.Status
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Status != (fleet.Status{Waiting: 1, Paused: true}) || got.Hosts["h.example"].Waiting != 1 {
		t.Errorf("%s: %+v, %v", out.Bytes(), got, err)
	}
	fleetCommand("resume")
	fleetCommand("purge")
	fleetCommand("status")
	if want := `{"waiting":0,"running":0,"done":0,"failed":0,"paused":false}` + "\n"; out.String() != want {
		t.Errorf("after the purge: %s", out.Bytes())
	}
	if err := run(t.Context(), []string{"-h"}, &out); err != nil {
		t.Errorf("-h: %v", err)
	}
	if err := run(t.Context(), []string{"-url", f.URL(), "nonsense"}, &out); err == nil {
		t.Error("nonsense is a command")
	}
}
