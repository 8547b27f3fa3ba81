package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// Order is a replay or a discard of all letters that match, and how far it came. Any replica takes one and can be
// asked for it; the one that leads the jobs carries it out.
type Order struct {
	ID          int64      `json:"id,string"`
	Queue       string     `json:"queue"`
	Action      State      `json:"action"` // what becomes of the letters
	RequestedAt time.Time  `json:"requested_at"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	Outcome
	Error string `json:"error"` // why it ended early; empty: it did not
}

// Orders are kept in PostgreSQL, the last 50.
type Orders struct{ pool *pgxpool.Pool }

// NewOrders makes the list.
func NewOrders(pool *pgxpool.Pool) *Orders { return &Orders{pool: pool} }

// add takes an order.
func (o *Orders) add(ctx context.Context, queue string, action State, wanted Filter) (Order, error) {
	filter, err := json.Marshal(wanted)
	if err != nil {
		return Order{}, err
	}
	rows, err := o.pool.Query(ctx, sql.Postgres("dead_letter_order"), queue, action, filter)
	if err != nil {
		return Order{}, fmt.Errorf("order: %w", err)
	}
	order, err := pgx.CollectExactlyOneRow(rows, orderOf)
	if err != nil {
		return Order{}, fmt.Errorf("order: %w", err)
	}
	return order, nil
}

// last gives the orders that are kept, the latest first.
func (o *Orders) last(ctx context.Context) ([]Order, error) {
	rows, err := o.pool.Query(ctx, sql.Postgres("dead_letter_orders"))
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	all, err := pgx.CollectRows(rows, orderOf)
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return all, nil
}

func orderOf(row pgx.CollectableRow) (Order, error) {
	var o Order
	err := row.Scan(&o.ID, &o.Queue, &o.Action, &o.RequestedAt, &o.StartedAt, &o.FinishedAt, &o.Matched, &o.Done,
		&o.Skipped, &o.Error)
	return o, err
}

// begun is an order that is carried out.
type begun struct {
	id     int64
	queue  string
	action State
	filter Filter
	before int // that were done when it was begun before, and not ended
}

// next is the oldest order that is not done; ok is false where there is none.
func (o *Orders) next(ctx context.Context) (b begun, ok bool, err error) {
	var filter []byte
	err = o.pool.QueryRow(ctx, sql.Postgres("dead_letter_order_begin")).
		Scan(&b.id, &b.queue, &b.action, &filter, &b.before)
	if errors.Is(err, pgx.ErrNoRows) {
		return b, false, nil
	}
	if err == nil {
		err = json.Unmarshal(filter, &b.filter)
	}
	if err != nil {
		return b, false, fmt.Errorf("next order: %w", err)
	}
	return b, true, nil
}

func (o *Orders) progress(ctx context.Context, b begun, done, total int) error {
	_, err := o.pool.Exec(ctx, sql.Postgres("dead_letter_order_progress"), b.id, b.before+total, b.before+done)
	return err
}

// end records how an order ended.
func (o *Orders) end(ctx context.Context, b begun, outcome Outcome, failure error) error {
	_, err := o.pool.Exec(ctx, sql.Postgres("dead_letter_order_end"), b.id, b.before+outcome.Matched,
		b.before+outcome.Done, outcome.Skipped, postgres.Detail(failure, maxDetail))
	return err
}
