// Package slotd talks to slotd, a job service: it submits jobs, watches them, reads what they return, and runs workers.
//
// A [Client] takes and returns the messages of the generated package slotd/v1 (imported as slotdv1), which documents
// every field. What the package adds is what a correct caller needs around them: a request id on every Submit, so that
// it is safe to repeat; deadlines; repeats of what is safe to repeat; waits, streams and output that outlive a lost
// connection and a restart of the service; one error type, [*Error], with the details that the service sent; and
// payloads as Go values, with [Encode] and [Decode].
//
// A [Worker] runs jobs for the service, from any machine.
package slotd

// Version is that of this module. A worker sends it to the service.
const Version = "0.1.0"
