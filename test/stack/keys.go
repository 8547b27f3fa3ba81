package stack

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
)

// IntegerKeys reads keys as an app has them whose keys are all integers, and names none.
type IntegerKeys struct{ core.NoNames }

// User reads the key of a user.
func (IntegerKeys) User(_ context.Context, text string) (core.ID, error) {
	return core.IntegerKeys.ID(text)
}

// Post reads the key of a post.
func (IntegerKeys) Post(_ context.Context, text string) (core.ID, error) {
	return core.IntegerKeys.ID(text)
}
