package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// Order is an erasure that was asked for, and how far it is.
type Order struct {
	ID          int64           `json:"id,string"`
	User        *string         `json:"user"` // null once it is done
	RequestedAt time.Time       `json:"requested_at"`
	StartedAt   *time.Time      `json:"started_at"`
	FinishedAt  *time.Time      `json:"finished_at"`
	Step        erase.Step      `json:"step"`  // the last one that is done; empty: none
	Done        int             `json:"done"`  // steps
	Steps       int             `json:"steps"` // that there are
	Error       string          `json:"error"` // why the last attempt ended; it is tried again
	Report      json.RawMessage `json:"report"`
}

// Orders are kept in PostgreSQL, the last 1000.
type Orders struct{ pool *pgxpool.Pool }

// NewOrders makes the list.
func NewOrders(pool *pgxpool.Pool) *Orders { return &Orders{pool: pool} }

// Add asks for somebody's erasure, or gives the order that there is and is not done.
func (o *Orders) Add(ctx context.Context, user string) (Order, error) {
	return o.one(ctx, "erase_order", user)
}

// ErrUnknown says that there is no such order.
var ErrUnknown = errors.New("there is no such erasure; the last 1000 are kept")

// Of is the order of an id.
func (o *Orders) Of(ctx context.Context, id int64) (Order, error) {
	order, err := o.one(ctx, "erase_order_show", id)
	if errors.Is(err, pgx.ErrNoRows) {
		return order, ErrUnknown
	}
	return order, err
}

func (o *Orders) one(ctx context.Context, statement string, of any) (Order, error) {
	rows, err := o.pool.Query(ctx, sql.Postgres(statement), of)
	if err != nil {
		return Order{}, fmt.Errorf("erasure: %w", err)
	}
	order, err := pgx.CollectExactlyOneRow(rows, orderOf)
	if err != nil {
		return Order{}, fmt.Errorf("erasure: %w", err)
	}
	return order, nil
}

// Last are the latest orders, the last one first.
func (o *Orders) Last(ctx context.Context, limit int) ([]Order, error) {
	rows, err := o.pool.Query(ctx, sql.Postgres("erase_orders"), limit)
	if err != nil {
		return nil, fmt.Errorf("erasures: %w", err)
	}
	all, err := pgx.CollectRows(rows, orderOf)
	if err != nil {
		return nil, fmt.Errorf("erasures: %w", err)
	}
	return all, nil
}

func orderOf(row pgx.CollectableRow) (Order, error) {
	o := Order{Steps: len(erase.Steps())}
	err := row.Scan(&o.ID, &o.User, &o.RequestedAt, &o.StartedAt, &o.FinishedAt, &o.Step, &o.Error, &o.Report)
	o.Done = slices.Index(erase.Steps(), o.Step) + 1
	return o, err
}

// next begins the oldest order that is not done and not among these, or goes on with it; ok is false where there is
// none.
func (o *Orders) next(ctx context.Context, but []int64) (id int64, user string, ok bool, err error) {
	err = o.pool.QueryRow(ctx, sql.Postgres("erase_order_begin"), but).Scan(&id, &user)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", false, nil
	}
	if err != nil {
		return 0, "", false, fmt.Errorf("next erasure: %w", err)
	}
	return id, user, true, nil
}

func (o *Orders) progress(ctx context.Context, id int64, step erase.Step) error {
	_, err := o.pool.Exec(ctx, sql.Postgres("erase_order_progress"), id, step)
	return err
}

// maxDetail bounds what is kept of an error.
const maxDetail = 500

// fail notes why an attempt ended. It names the person no more than the order does, and goes with the name.
func (o *Orders) fail(ctx context.Context, id int64, failure error) error {
	_, err := o.pool.Exec(ctx, sql.Postgres("erase_order_fail"), id, postgres.Detail(failure, maxDetail))
	return err
}

// end notes that it is done, and forgets of whom it was.
func (o *Orders) end(ctx context.Context, id int64, report erase.Report) error {
	report.Users = nil
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	_, err = o.pool.Exec(ctx, sql.Postgres("erase_order_end"), id, text)
	return err
}
