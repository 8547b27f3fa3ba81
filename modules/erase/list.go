package erase

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// List is who is erased, in memory: 8 bytes of data a person, asked without a query. It is safe for concurrent use.
type List struct {
	db    *clickhouse.Client
	log   *zap.Logger
	known atomic.Pointer[map[core.ID]struct{}]
	mu    sync.Mutex // one reads at a time
}

// NewList makes an empty list: Refresh fills it.
func NewList(db *clickhouse.Client, log *zap.Logger) *List {
	l := &List{db: db, log: log.Named("erase")}
	l.known.Store(&map[core.ID]struct{}{})
	return l
}

// Has tells whether somebody is erased.
func (l *List) Has(user core.ID) bool {
	_, erased := (*l.known.Load())[user]
	return erased
}

// Refresh learns of everybody who is erased by now.
func (l *List) Refresh(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n proto.ColUInt64
	if err := l.read(ctx, "erase_count", proto.Results{{Name: "n", Data: &n}}, func() {}); err != nil {
		return err
	}
	if n.Rows() > 0 && n.Row(0) == uint64(len(*l.known.Load())) {
		return nil
	}
	var user proto.ColInt64
	all := map[core.ID]struct{}{}
	err := l.read(ctx, "erase_list", proto.Results{{Name: "user_id", Data: &user}}, func() {
		for _, id := range user {
			all[core.ID(id)] = struct{}{}
		}
	})
	if err != nil {
		return err
	}
	l.known.Store(&all)
	return nil
}

func (l *List) read(ctx context.Context, name string, result proto.Results, each func()) error {
	err := l.db.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Result: result, OnResult: func(context.Context,
			proto.Block,
		) error {
			each()
			return nil
		},
	}})
	if err != nil {
		return fmt.Errorf("who is erased: %w", err)
	}
	return nil
}

const (
	lookEvery   = 2 * time.Second
	lookTimeout = 2 * time.Second
	// obeyed is how long after a person was listed every replica has stopped to serve them: it looks, and
	// finishes what it had begun.
	obeyed = lookEvery + lookTimeout + time.Second
)

// Run looks again every two seconds until ctx ends.
func (l *List) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	failing := false
	for {
		looking, cancel := context.WithTimeout(ctx, lookTimeout)
		err := l.Refresh(looking)
		cancel()
		if err != nil && ctx.Err() == nil && !failing {
			l.log.Warn("cannot look who was erased lately; ClickHouse refuses their rows meanwhile", zap.Error(err))
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}
