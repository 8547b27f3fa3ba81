// Package feedrank is the client of feedrank for programs in Go.
//
//	client, err := feedrank.New("https://feeds.example", feedrank.StaticToken(token))
//	for item, err := range client.Items(ctx, feedrank.FeedOptions{}) { … }
//
// What it does for its caller:
//
//   - Errors that the server names are *Error: a code to branch on, the field, the id of the request.
//   - What may be asked again is: pauses double and are spread, Retry-After is waited for, and ctx ends it. That holds
//     for events, too: each has an id, so that one which arrives twice counts once.
//   - Pages and posts are iterators, which ask for the next page when it is needed.
//   - A Recorder collects events, sends them in batches, keeps a bounded number while the server is away, and says of
//     each that it gave up why.
//   - Updates tells how many new posts wait, over one stream that is opened again wherever it was lost.
//
// Every call takes a context; nothing goes on when it has ended. A Client is safe for concurrent use.
package feedrank
