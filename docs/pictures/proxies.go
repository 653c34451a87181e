package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/mountable/requests"
)

// The settings of the picture: those of the environment, and those of the session.
var (
	variables = []struct{ name, value string }{
		{"http_proxy", "http://web.test:3128"},
		{"no_proxy", ".internal.test"},
	}
	proxies = requests.Proxies{"https://api.test": "http://gate.test:8080"}
)

// questions are the calls that the session is asked about.
var questions = []struct {
	url     string
	options []requests.Option
}{
	{"http://example.com/", []requests.Option{requests.NoProxy}},
	{"https://api.test/users", nil},
	{"http://example.com/", nil},
	{"http://db.internal.test/", nil},
	{"https://example.com/", nil},
}

// sources are those who may decide, in the order they are asked.
var sources = []requests.ProxySource{
	requests.DecidedByRequest, requests.DecidedByFunc, requests.DecidedBySession, requests.DecidedByEnvironment, requests.DecidedByNothing,
}

// The measures of the picture: where the first source and the first question stand, and how far the next ones.
const (
	sourceLeft, sourceWidth    = 270, 78
	questionTop, questionWidth = 116, 54
)

// drawProxies draws which source decides about a URL, as ExplainProxy says.
func drawProxies(string) (*picture, error) {
	p := &picture{title: "Which proxy, and who decides", width: 640, height: questionTop + questionWidth*len(questions) + 12,
		about: "The call is asked first, then Session.ProxyFunc, the session's proxies and the environment. The first that names a proxy for the URL decides; no_proxy can still keep it from being used."}
	p.setting(24, "environment", variables[0].name+"="+variables[0].value+" "+variables[1].name+"="+variables[1].value)
	p.setting(44, "session", fmt.Sprintf("Proxies{%q: %q}", "https://api.test", proxies["https://api.test"]))
	for i, source := range sources {
		x := sourceLeft + sourceWidth*i
		p.path("faint dashed", "M%d %dV%d", x, questionTop-22, p.height-8)
		for j, line := range strings.Split(headings[source], " ") {
			p.text(x, questionTop-44+15*j, "middle", "small strong", line)
		}
	}
	defer environment()()
	s := &requests.Session{Proxies: proxies, TrustEnv: true}
	for i, q := range questions {
		decision, err := s.ExplainProxy(q.url, q.options...)
		if err != nil {
			return nil, err
		}
		p.decision(questionTop+questionWidth*i, len(q.options) > 0, decision)
	}
	return p, nil
}

// setting draws what one of the sources says.
func (p *picture) setting(y int, source, says string) {
	p.text(16, y, "start", "small faint", source)
	p.text(106, y, "start", "code small", says)
}

var headings = map[requests.ProxySource]string{
	requests.DecidedByRequest: "the call", requests.DecidedByFunc: "ProxyFunc (none)", requests.DecidedBySession: "the session",
	requests.DecidedByEnvironment: "the environment", requests.DecidedByNothing: "nobody: direct",
}

// environment sets the variables of the picture, and no others that name a proxy. It returns
// what puts the old ones back.
func environment() (restore func()) {
	old := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasSuffix(strings.ToLower(name), "_proxy") {
			old[name] = value
			os.Unsetenv(name)
		}
	}
	for _, v := range variables {
		os.Setenv(v.name, v.value)
	}
	return func() {
		for _, v := range variables {
			os.Unsetenv(v.name)
		}
		for name, value := range old {
			os.Setenv(name, value)
		}
	}
}

// decision draws a URL, the way from source to source until one decides, and the decision in words.
func (p *picture) decision(y int, noProxy bool, d requests.ProxyDecision) {
	p.text(16, y+10, "start", "code", d.URL)
	if noProxy {
		p.text(16+widthOf(d.URL+" ", textSize), y+10, "start", "code small lead", "NoProxy")
	}
	p.caption(28, y+30, "start", "small faint", strings.TrimPrefix(fmt.Sprint(d), d.URL+" "))
	for i, source := range sources {
		x := sourceLeft + sourceWidth*i
		if source == d.Source {
			p.path("lead", "M%d %dH%d", sourceLeft-16, y+6, x)
			class := "good"
			if d.Proxy == "" {
				class = "lead"
			}
			p.dot(x, y+6, 7, class)
			return
		}
		p.dot(x, y+6, 3, "line")
	}
}
