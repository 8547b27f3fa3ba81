package clickhouse

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
)

var grantStatement = regexp.MustCompile(`(?m)^GRANT (.+) ON (\S+) TO (\w+);`)

// Grants are what a file of GRANT statements gives one user, each privilege by itself, in our database.
func Grants(file, user, database string) (all []string) {
	for _, m := range grantStatement.FindAllStringSubmatch(file, -1) {
		if m[3] != user {
			continue
		}
		on := m[2]
		if table, ours := strings.CutPrefix(on, DefaultConfig().Database+"."); ours {
			on = "`" + strings.NewReplacer("`", "``", `\`, `\\`).Replace(database) + "`." + table
		}
		for privilege := range strings.SplitSeq(m[1], ", ") {
			all = append(all, privilege+" ON "+on)
		}
	}
	return all
}

// Lacking tells which of these our user does not have.
func Lacking(ctx context.Context, cfg Config, grants []string) (lacking []string, err error) {
	cfg.Database = "" // ours may not be there yet
	client := New(cfg, prometheus.NewRegistry())
	defer client.Close()
	for _, grant := range grants {
		var granted proto.ColUInt8
		err := client.Read(ctx, Query{
			Name:  "granted",
			Query: ch.Query{Body: "CHECK GRANT " + grant, Result: proto.Results{{Data: &granted}}},
		})
		if err != nil {
			return nil, fmt.Errorf("ask whether %s is granted: %w", grant, err)
		}
		if granted.Rows() == 0 || granted.Row(0) == 0 {
			lacking = append(lacking, grant)
		}
	}
	return lacking, nil
}
