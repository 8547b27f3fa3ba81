package erase

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// forgetPostgres takes the people out of our schema: out of audits' reports, which name by numbers, out of the places
// of comparisons and snapshots, and out of the record of who changed the ranking, which name by the app's keys.
func (e *Eraser) forgetPostgres(ctx context.Context, people []core.Key, r *Report) error {
	var numbers, keys, written []string
	for _, k := range people {
		numbers = append(numbers, k.ID.String())
		keys = append(keys, k.String())
		written = append(written, waysToWrite(k)...)
	}
	for _, forget := range []struct {
		statement string
		of        any
	}{
		{"erase_audits", strings.Join(numbers, "|")},
		{"erase_comparisons", strings.Join(written, "|")},
		{"erase_snapshots", strings.Join(written, "|")},
		{"erase_rankings", keys},
		{"erase_admin_actions", keys},
	} {
		tag, err := e.pool.Exec(ctx, sql.Postgres(forget.statement), forget.of)
		if err != nil {
			return err
		}
		r.Postgres += tag.RowsAffected()
	}
	return nil
}

// waysToWrite are the ways in which places name somebody, as regular expressions: by the number, by the key in JSON as
// we and as PostgreSQL write it, and by the key in the key of a row.
func waysToWrite(k core.Key) []string {
	ways := []string{k.ID.String()}
	if k.Text != "" {
		ours, _ := json.Marshal(k.Text) // a text has a form
		theirs := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(k.Text)
		inRow := strings.NewReplacer("+", "%20", "~", "%7E").Replace(url.QueryEscape(k.Text))
		ways = append(ways, string(ours[1:len(ours)-1]), theirs, inRow)
	}
	for i := range ways {
		ways[i] = regexp.QuoteMeta(ways[i])
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}
