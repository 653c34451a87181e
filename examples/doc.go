// Package examples holds the test that runs the programs of its folders against servers of this machine.
// There is nothing in it to import.
package examples
