// Package guide holds the test that compiles every Go block of docs/guide and runs
// those marked runnable. There is nothing in it to import.
package guide
