package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/propose"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// mostTables is how many tables of a database are looked at.
const mostTables = 1000

// Propose looks at the app's database, which it only reads, and writes a configuration for it. The doubts are what the
// app's people must look at.
func Propose(ctx context.Context, dsn string) (file string, doubts []string, err error) {
	if err := postgres.CheckDSN(dsn); err != nil {
		return "", nil, fmt.Errorf("the DSN: want %w", err)
	}
	cfg := postgres.DefaultConfig()
	cfg.DSN = dsn
	pool, err := postgres.NewReadOnlyPool(ctx, cfg)
	if err != nil {
		return "", nil, err
	}
	defer pool.Close()
	if err := pool.Ping(ctx); err != nil {
		return "", nil, fmt.Errorf("cannot connect: %w", postgres.Explained(err))
	}
	catalog, err := schema.ReadCatalog(ctx, pool, mostTables)
	if err != nil {
		return "", nil, err
	}
	if len(catalog.Tables) == 0 {
		return "", nil, errors.New("there is no table in this database: is it the app's?")
	}
	p, err := fitting(ctx, pool, catalog)
	if err != nil {
		return "", p.Doubts, err
	}
	return "# Proposed by feedrank init from what the database says. Look at each reason, and at each CHECK; then:\n" +
		"#   feedrank check-config --connect FILE\n" +
		"postgres: # without its password: set FEEDRANK_POSTGRES__DSN, or FEEDRANK_POSTGRES__DSN_FILE\n" +
		"  dsn: " + strconv.Quote(WithoutPassword(dsn)) + "\n" +
		"auth: # made for this file: your API signs its users' tokens with it\n" +
		"  hs256_secret: " + rand.Text() + rand.Text() + "\n" +
		p.YAML(), p.Doubts, nil
}

// fitting proposes until all that is proposed fits: what does not is left out, or another table stands in.
func fitting(ctx context.Context, pool *pgxpool.Pool, catalog schema.Catalog) (propose.Proposal, error) {
	var refused []propose.Refused
	for {
		p := propose.From(catalog, refused...)
		if p.Tables.Post.Table == "" {
			return p, errors.New(
				"no table can be mapped as posts, which feeds are made of: see config/README.md, Your tables")
		}
		wrong, err := schema.CheckKinds(ctx, pool, p.Tables, core.SystemClock{}.Now())
		if err != nil || len(wrong) == 0 {
			return p, err
		}
		for k, why := range wrong { // each time there is less to propose, so this ends
			refused = append(refused, propose.Refused{Kind: k, Table: p.Tables.Of(k).Table, Why: why.Error()})
		}
	}
}

var passwords = regexp.MustCompile(`(?i)\b(sslpassword|password)\s*=\s*('(\\.|[^'\\])*'|(\\.|[^\s\\])*)`)

// WithoutPassword is a DSN without what nobody should read in a file.
func WithoutPassword(dsn string) string {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return strings.Join(strings.Fields(passwords.ReplaceAllString(dsn, "")), " ")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres://127.0.0.1/app"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	values := u.Query()
	values.Del("password")
	values.Del("sslpassword")
	u.RawQuery = values.Encode()
	return u.String()
}
