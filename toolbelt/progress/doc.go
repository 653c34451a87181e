// Package progress shows the progress of an upload, a download or a pool of requests in a
// terminal:
//
//	bar := progress.New("report.pdf")
//	defer bar.Close()
//	_, err := toolbelt.Download(ctx, s, url, "report.pdf", bar.Download())
//
// A [Bar] writes to standard error, and where that is not a terminal it writes nothing:
// logs and pipes stay clean. A [Group] shows several bars at once. It draws on the goroutine that transfers, at most ten
// times a second, and has no goroutine of its own. What cannot be drawn is not drawn:
// a transfer never fails for its bar.
package progress
