package parity

// notYet names the files whose cases may still fail while their part of the library is being built. They are run, and
// counted as pending when they fail. The list has to become empty.
var notYet = map[string]bool{}
