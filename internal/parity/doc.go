// Package parity holds the drivers that run recorded cases against this module.
//
// Three sources are read, none of them ever edited by a driver:
//
//   - scenarios/*.json: whole sessions against scripted servers, with what Python Requests was seen to do (TestScenarios);
//   - vectors/*.json: single functions of Requests, urllib3 and requests-toolbelt with recorded results (TestVectors);
//   - the corpora: cases from public suites about responses, cookies, URLs, file names, TLS (TestResponses, TestCookies, ...).
//
// The first two are looked for in the folder named by PARITY_DIR (default: testdata/parity at the module root), the
// third in CORPORA_DIR (default: ../shared/corpora beside the module root) and skipped where that folder is absent.
//
// Each test prints, per file and in total, "NAME: N passed, N failed, N skipped", followed by the number of cases which
// a documented difference covers. The differences are listed by rule in testdata/parity/differences.txt, with the cases
// each covers and what is expected in place of the recording; the driver asserts that instead. Rules that show in more
// cases than a list can name have a check in departures: where a result is not as recorded and the rule applies to the
// input, the check decides.
//
// The package has no code of its own: everything is in its test files, one file a concern.
package parity
