package erase

import (
	"context"
	"strings"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// forgetPostgres takes the people's ids out of our schema: out of audits' reports, out of the places of
// comparisons and snapshots, and out of the record of who changed the ranking.
func (e *Eraser) forgetPostgres(ctx context.Context, users []core.ID, r *Report) error {
	ids := make([]string, len(users))
	for i, user := range users {
		ids[i] = user.String()
	}
	for _, name := range []string{
		"erase_audits", "erase_comparisons", "erase_snapshots", "erase_rankings",
		"erase_admin_actions",
	} {
		arg := any(strings.Join(ids, "|"))
		if name == "erase_rankings" || name == "erase_admin_actions" {
			arg = ids
		}
		tag, err := e.pool.Exec(ctx, sql.Postgres(name), arg)
		if err != nil {
			return err
		}
		r.Postgres += tag.RowsAffected()
	}
	return nil
}
