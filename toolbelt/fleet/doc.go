// Package fleet sends requests from many processes and machines that share their jobs, a rate for
// each host, and cookies. What they share is kept by NATS JetStream: a server in the process itself
// with a directory for its files ([Embedded]), or one that everybody reaches ([Connect]).
//
//	f, err := fleet.Open(ctx, fleet.Embedded("crawl"))
//	defer f.Close()
//	n, err := f.Enqueue(ctx, jobs)                     // jobs is an iter.Seq[*requests.Request]
//	err = f.Run(ctx, session, fleet.Workers(16), fleet.UntilEmpty)
//	for result, err := range f.Results(ctx, fleet.UntilEmpty) { … }
//
// A job is stored before Enqueue returns, once for each ID, and deleted when its result is stored.
// Every job ends with exactly one result, whatever happens to the processes:
//
//	a worker                        a repeatable job            one that may not be repeated
//	takes it                        leased to this worker       leased to this worker
//	is about to send it             -                           claimed, for good
//	crashes before that             another sends it            another sends it
//	crashes after that              another sends it again      another stores Result.Unknown
//	has the response, or gives up   stores the result           stores the result
//	crashes before the job is       another sends it again,     another sees the result
//	acknowledged                    or sees the result
//
// So repeatable jobs are sent at least once, the others at most once. GET, HEAD, OPTIONS, TRACE, PUT
// and DELETE may be repeated (RFC 9110 section 9.2.2), POST and all others not; see [Repeatable].
//
// Errors are *[requests.Error]: [requests.ErrConnect] for a server that cannot be reached,
// [requests.ErrConnection] for one that was lost, [requests.ErrLimit] for a full stream,
// [requests.ErrBodyTooLarge] for a job that is too large, [requests.ErrInvalidArgument] for a fleet
// of another version or with another key.
package fleet
