package adminlog_test

import (
	"fmt"
	"io"
	"strings"
)

// waiting is the gauge with a value, as it is exposed.
func waiting(n int) io.Reader {
	const name = "feedrank_admin_actions_waiting"
	return strings.NewReader(fmt.Sprintf("# HELP %s What operators changed and PostgreSQL does not have yet, because it is away."+
		" Calls that change something are refused at 1000.\n# TYPE %s gauge\n%s %d\n", name, name, name, n))
}
