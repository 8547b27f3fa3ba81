//go:build noembedded || (!linux && !darwin)

package clickhouse

import (
	"context"
	"fmt"
)

// Run returns an error that says which server to use instead: this program has no engine in it, because of its platform or
// because it was built with the tag noembedded, which keeps the dynamic loader out of a static binary.
func Run(context.Context, Options, func(addr string)) error {
	return fmt.Errorf("%w in this build; %s", ErrNoLibrary, insteadOfLibrary)
}
