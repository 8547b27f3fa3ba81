package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/adminlog"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// recordWithin bounds what a command waits for its record.
const recordWithin = 5 * time.Second

// Operation is a command that changes data, as it is recorded.
type Operation struct {
	What   string // as /admin names it, where it has the same
	Target string // never a person: the record outlives an erasure
	Asked  any    // how it was called
}

// Recorded does something, and keeps that it was done, by whom and what came of it, in feedrank.admin_actions as
// what operators do through /admin is. That PostgreSQL does not take it is said on out, and undoes nothing. An error
// without a result is a refusal: nothing was done.
func Recorded(
	ctx context.Context, cfg config.Config, o Operation, out io.Writer, do func() (result any, err error),
) error {
	if !slices.Contains(httpserver.Operations, o.What) {
		return fmt.Errorf("%q is not among httpserver.Operations: whoever reads the records would not know it", o.What)
	}
	a := httpserver.Action{
		At: core.SystemClock{}.Now(), Who: osUser(), What: o.What, Target: o.Target, Before: o.Asked,
		Status: http.StatusOK, RequestID: "cli", Address: hostName(),
	}
	result, err := do()
	if err != nil && result == nil {
		return err
	}
	if a.After = result; err != nil {
		a.Status = http.StatusInternalServerError // it may have happened in part
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	if failed := writeAction(ctx, cfg, a); failed != nil {
		_, _ = fmt.Fprintf(out, "this is not in feedrank.admin_actions (%s by %s): %v\n", a.What, a.Who, failed)
	}
	return err
}

func writeAction(ctx context.Context, cfg config.Config, a httpserver.Action) error {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	return adminlog.Write(ctx, pool, a)
}

// osUser is who runs this, by name where the machine knows one.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown host"
	}
	return name
}
