//go:build !(linux || darwin)

package clickhouse

import (
	"context"
	"fmt"
)

// Run says that this program has no embedded ClickHouse.
func Run(context.Context, Options, func(addr string)) error {
	return fmt.Errorf("%w for this platform; point clickhouse.addrs at a server of your own", ErrNoLibrary)
}
