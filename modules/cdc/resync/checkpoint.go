package resync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/sql"
)

// checkpoint is how far a comparison came.
type checkpoint struct {
	Of      string // what is compared: another question begins anew
	Done    []Comparison
	Current Comparison // of the kind that is being compared
	After   []int64    // the key columns' values up to which it was; empty: from the beginning
	Slice   int        // slices that were compared, where there is no order by such columns
	Last    bool       // nothing of the kind is left
}

func (p *checkpoint) did(k mapping.Kind) bool {
	for _, c := range p.Done {
		if c.Kind == k.String() {
			return true
		}
	}
	return false
}

func (p *checkpoint) begin(s *mapping.Source) {
	p.Current, p.After, p.Slice, p.Last = Comparison{Kind: s.Kind.String(), Table: s.Table}, nil, 0, false
}

// advance notes that a chunk is compared.
func (p *checkpoint) advance(done chunk) {
	p.After, p.Slice, p.Last = done.upto, done.slice+1, done.last
}

// question identifies what is compared.
func (r *Resync) question(o Options) (string, error) {
	tables, err := json.Marshal(r.Tables)
	if err != nil {
		return "", err
	}
	sum := fnv.New64a()
	_, _ = sum.Write(tables) // a hash takes everything
	return fmt.Sprintf("%s repair=%t %x", o.Table, o.Repair, sum.Sum64()), nil
}

func (r *Resync) loadCheckpoint(ctx context.Context, o Options) (*checkpoint, error) {
	of, err := r.question(o)
	if err != nil {
		return nil, err
	}
	fresh := &checkpoint{Of: of}
	if o.Name == "" {
		return fresh, nil
	}
	var text []byte
	err = r.Postgres.QueryRow(ctx, sql.Postgres("cdc_resync_load"), o.Name).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("how far the last comparison came: %w", err)
	}
	var found checkpoint
	if err := json.Unmarshal(text, &found); err != nil || found.Of != of {
		return fresh, nil //nolint:nilerr // of another version, or of another question
	}
	return &found, nil
}

func (r *Resync) finish(ctx context.Context, o Options, p *checkpoint, c Comparison) error {
	p.Done, p.Current, p.After, p.Slice, p.Last = append(p.Done, c), Comparison{}, nil, 0, false
	return r.save(ctx, o, p)
}

func (r *Resync) save(ctx context.Context, o Options, p *checkpoint) error {
	if o.Name == "" {
		return nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := r.Postgres.Exec(ctx, sql.Postgres("cdc_resync_save"), o.Name, text); err != nil {
		return fmt.Errorf("save how far the comparison came: %w", err)
	}
	return nil
}

func (r *Resync) forget(ctx context.Context, o Options) error {
	if o.Name == "" {
		return nil
	}
	if _, err := r.Postgres.Exec(ctx, sql.Postgres("cdc_resync_done"), o.Name); err != nil {
		return fmt.Errorf("forget how far the comparison came: %w", err)
	}
	return nil
}

// estimate is about how many rows a table has.
func (r *Resync) estimate(ctx context.Context, table string) (rows int64, err error) {
	schema, name := mapping.SplitTable(table)
	if err = r.Postgres.QueryRow(ctx, sql.Postgres("cdc_estimate"), schema, name).Scan(&rows); err != nil {
		return 0, fmt.Errorf("size of %s: %w", table, err)
	}
	return rows, nil
}
