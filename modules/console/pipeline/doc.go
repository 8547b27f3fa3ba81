// Package pipeline reads this process's own metrics as people think of them: the way from the app's database and its
// clients to a feed, hop by hop, with how much passes, how late it is, what fails, and why.
//
// It measures when somebody looks, and at most twice a second whoever looks; rates are of what was measured in the
// last ten seconds.
package pipeline
