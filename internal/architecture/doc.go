// Package architecture holds the tests that keep the layout as
// docs/architecture.md describes it. There is nothing in it to import.
package architecture
