// Package architecture holds the tests that keep the house as
// docs/architecture.md describes it. There is nothing in it to import.
package architecture
