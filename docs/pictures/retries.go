package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/mountable/requests"
)

// policy is the Retry of the picture.
var policy = requests.Retry{Total: 4, BackoffFactor: 500 * time.Millisecond, StatusForcelist: []int{503}}

// tryTime is how long each try takes in the picture.
const tryTime = 500 * time.Millisecond

// outcome is how a try ends: with no connection where there is no status.
type outcome struct {
	status     int
	retryAfter string
}

// The outcomes of the picture.
var (
	refused = outcome{}
	busy    = outcome{status: 503}
	later   = outcome{status: 503, retryAfter: "3"}
	fine    = outcome{status: 200}
)

// course is a request, and how its tries end as long as there are some.
type course struct {
	says  string
	total time.Duration // Timeouts.Total, 0 for none
	tries []outcome
}

var courses = []course{
	{"The server recovers, and once it says when", 0, []outcome{refused, busy, later, fine}},
	{"It does not recover", 0, []outcome{busy, busy, busy, busy, busy}},
	{"The same with Timeouts.Total of 6 s", 6 * time.Second, []outcome{busy, busy, busy, busy}},
}

// span is a part of a course: a try, or the pause before the next one.
type span struct {
	from, to time.Duration
	try      string // how the try ended, "" for a pause
	asked    bool   // the pause is what Retry-After says
	never    bool   // the pause is not begun
}

// run counts the tries of a course with a RetryState, as an HTTPAdapter does, and says how it ends.
func (c course) run() (spans []span, end string, err error) {
	state, now := policy.State(), time.Duration(0)
	for _, try := range c.tries {
		resp, failure, err := try.result()
		if err != nil {
			return nil, "", err
		}
		spans = append(spans, span{from: now, to: now + tryTime, try: try.String()})
		now += tryTime
		if failure == nil && !state.IsRetry("GET", try.status, try.retryAfter != "") {
			return spans, "the response", nil
		}
		var gaveUp error
		if state, gaveUp = state.Increment("GET", "https://api.test/", resp, failure); gaveUp != nil {
			return spans, "ErrRetry", onlyResponses(gaveUp)
		}
		pause := state.Delay(resp, time.Now())
		if c.total > 0 && now+pause > c.total {
			return append(spans, span{from: now, to: now + pause, never: true}), "ErrTotalTimeout at once", nil
		}
		spans = append(spans, span{from: now, to: now + pause, asked: try.retryAfter != ""})
		now += pause
	}
	return nil, "", errors.New("there is no end to it")
}

// onlyResponses returns err unless responses have used the retries up, which is ErrRetry.
func onlyResponses(err error) error {
	if _, ok := errors.AsType[*requests.ResponseError](err); ok {
		return nil
	}
	return err
}

// result is what a try gives to RetryState: a response or a failure.
func (o outcome) result() (*requests.Response, error, error) {
	p, err := (&requests.Request{URL: "https://api.test/"}).Prepare()
	if o.status == 0 || err != nil {
		return nil, &requests.Error{Kind: requests.ErrConnect, Request: p}, err
	}
	var headers requests.Headers
	if o.retryAfter != "" {
		headers.Set("Retry-After", o.retryAfter)
	}
	return requests.NewResponse(p, o.status, headers, nil), nil, nil
}

func (o outcome) String() string {
	if o.status == 0 {
		return "×"
	}
	return fmt.Sprint(o.status)
}

// The measures of the picture: pixels for a second, and for a course.
const (
	second              = 58
	retryLeft, retryTop = 24, 44
	courseHeight        = 92
	barHeight           = 30
)

func at(d time.Duration) int { return retryLeft + int(d*second/time.Second) }

// drawRetries draws courses of tries and pauses on one time line.
func drawRetries(string) (*picture, error) {
	p := &picture{title: "Tries and pauses on a time line", width: 640, height: retryTop + courseHeight*len(courses) + 44,
		about: "Tries are boxes and pauses are lines. The first repeat comes at once, later ones after a pause that doubles, or after what Retry-After says. " +
			"A pause that would outlast Timeouts.Total is not begun."}
	p.text(16, 26, "start", "code small", fmt.Sprintf("Retry{Total: %v, BackoffFactor: %d * time.Millisecond, StatusForcelist: []int{503}}", policy.Total, policy.BackoffFactor.Milliseconds()))
	bottom := retryTop + courseHeight*len(courses)
	for s := range 11 {
		x := at(time.Duration(s) * time.Second)
		p.path("faint dashed", "M%d %dV%d", x, retryTop, bottom)
		p.text(x, bottom+16, "middle", "small faint", fmt.Sprintf("%d s", s))
	}
	for i, c := range courses {
		spans, end, err := c.run()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.says, err)
		}
		p.course(retryTop+courseHeight*i, c, spans, end)
	}
	for i, line := range []string{"× no connection", "503 is tried again", "200 is not"} {
		p.text(16+150*i, p.height-10, "start", "small faint", line)
	}
	return p, nil
}

// course draws one course below y.
func (p *picture) course(y int, c course, spans []span, end string) {
	class := "bad"
	if end == "the response" {
		class = "good"
	}
	p.caption(16, y+22, "start", "strong", c.says)
	p.caption(at(10*time.Second), y+22, "end", class+" small", end)
	bar := y + 36
	if c.total > 0 {
		p.path("bad", "M%d %dv%d", at(c.total), bar-4, barHeight+8)
		p.caption(at(c.total)+6, bar+barHeight+4, "start", "small bad", "Timeouts.Total")
	}
	for _, s := range spans {
		p.span(bar, s)
	}
}

// span draws a try, or a pause that is not nothing.
func (p *picture) span(y int, s span) {
	middle, width := (at(s.from)+at(s.to))/2, at(s.to)-at(s.from)
	switch {
	case s.try != "":
		class := "bad"
		if s.try == fine.String() {
			class = "good"
		}
		p.box(at(s.from), y, width, barHeight, class)
		p.text(middle, y+barHeight/2+4, "middle", "code small", s.try)
	case s.never:
		p.path("bad dashed", "M%d %dh%d", at(s.from), y+barHeight/2, width)
		p.caption(at(s.from)+8, y+barHeight/2-6, "start", "small bad", fmt.Sprint(s.to-s.from))
	case width > 0:
		p.path("lead", "M%d %dh%d", at(s.from), y+barHeight/2, width)
		p.caption(middle, y+barHeight/2-6, "middle", "small lead", s.pause())
	}
}

// pause is what is said of a pause.
func (s span) pause() string {
	text := fmt.Sprint(s.to - s.from)
	if s.asked {
		text += ": Retry-After"
	}
	return text
}
