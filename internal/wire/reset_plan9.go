package wire

// Plan 9 has texts instead of numbers, and package net knows none of them for this.
var resets []error
