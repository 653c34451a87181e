package parity

// departures are the rules that have a section in differences.txt and a check here. Rules of a single case have their
// expectation in that file instead.
var departures = map[string]departure{}
