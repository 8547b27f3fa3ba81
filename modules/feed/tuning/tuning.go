package tuning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

// followEvery is how often a replica looks for a new version.
const followEvery = time.Second

// askTimeout bounds one look.
const askTimeout = 2 * time.Second

// Tuner keeps the ranking in force the one that PostgreSQL has.
type Tuner struct {
	pool     *pgxpool.Pool
	live     *rank.Live
	file     rank.Config
	watched  File
	validate *validator.Validate
	log      *zap.Logger
	workers  *worker.Group
}

// New makes a tuner. Until a version is found, the file's configuration is in force as version 0.
func New(pool *pgxpool.Pool, live *rank.Live, file rank.Config, log *zap.Logger) *Tuner {
	validate := validator.New()
	validate.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get("koanf") })
	return &Tuner{pool: pool, live: live, file: file, validate: validate, log: log, workers: worker.NewGroup(nil)}
}

// Follow has a file watched, too; it is to be called before Start.
func (t *Tuner) Follow(file File) { t.watched = file }

// Start begins to follow.
func (t *Tuner) Start(context.Context) error {
	t.workers.Go("follow the ranking", t.follow)
	if t.watched.Path != "" {
		t.workers.Go("watch the ranking's file", func(ctx context.Context) error { return t.Watch(ctx, t.watched) })
	}
	return nil
}

// Stop ends it.
func (t *Tuner) Stop(ctx context.Context) error { return t.workers.Stop(ctx) }

func (t *Tuner) follow(ctx context.Context) error {
	failing := false
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		err := t.Sync(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			t.log.Warn("cannot look for a new ranking; the one in force stays", zap.Error(err))
		case err == nil && failing:
			t.log.Info("looking for new rankings again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Sync puts the latest version in force.
func (t *Tuner) Sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var (
		version uint64
		text    []byte
	)
	err := t.pool.QueryRow(ctx, sql.Postgres("feed_ranking_latest")).Scan(&version, &text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("latest ranking: %w", err)
	}
	if version == t.live.Get().Version {
		return nil
	}
	cfg, err := t.parse(text)
	if err != nil {
		return fmt.Errorf("ranking version %d: %w", version, err)
	}
	t.live.Set(rank.Versioned{Version: version, Config: cfg}, t.before(ctx, version)...)
	t.log.Info("another ranking is in force", zap.Uint64("version", version))
	return nil
}

// before are the versions before one, oldest first: of a replica that starts, and of one that did not see
// each of them in force. Sessions began with them elsewhere.
func (t *Tuner) before(ctx context.Context, version uint64) (before []rank.Versioned) {
	past, err := t.History(ctx, rank.MaxRecent)
	if err != nil {
		t.log.Warn("earlier rankings are not known: sessions that began with them go on with the one in force",
			zap.Error(err))
	}
	for _, p := range slices.Backward(past) {
		if p.Version < version {
			before = append(before, rank.Versioned{Version: p.Version, Config: p.Ranking})
		}
	}
	return before
}

// Change describes a version to be put in force.
type Change struct {
	Over uint64      // the version that the author of the change has seen
	To   rank.Config //
	By   string      // who
	Note string      // why
}

// Change validates a ranking and puts it in force as the next version.
func (t *Tuner) Change(ctx context.Context, c Change) (rank.Versioned, error) {
	if err := t.Validate(c.To); err != nil {
		return rank.Versioned{}, err
	}
	if err := t.Sync(ctx); err != nil {
		return rank.Versioned{}, core.Unavailable("PostgreSQL", time.Second, err)
	}
	now := t.live.Get().Version
	if c.Over != now {
		return rank.Versioned{}, core.Errorf(core.CodeConflict,
			"version %d is in force, not %d: read it, and decide again", now, c.Over)
	}
	text, err := json.Marshal(c.To)
	if err != nil {
		return rank.Versioned{}, fmt.Errorf("ranking as JSON: %w", err)
	}
	next := rank.Versioned{Version: now + 1, Config: c.To}
	tag, err := t.pool.Exec(ctx, sql.Postgres("feed_ranking_insert"), next.Version, text, c.By, c.Note)
	if err != nil {
		return rank.Versioned{}, core.Unavailable("PostgreSQL", time.Second,
			fmt.Errorf("insert ranking %d: %w", next.Version, err))
	}
	if tag.RowsAffected() == 0 {
		return rank.Versioned{}, core.Errorf(core.CodeConflict,
			"somebody else put version %d in force: read it, and decide again", next.Version)
	}
	t.live.Set(next)
	tracing.Log(ctx, t.log).Info("ranking changed", zap.Uint64("version", next.Version), zap.String("by", c.By),
		zap.String("note", c.Note))
	return next, nil
}

// At is the configuration of a version; 0 is the file's.
func (t *Tuner) At(ctx context.Context, version uint64) (rank.Config, error) {
	if version == 0 {
		return t.file, nil
	}
	var text []byte
	err := t.pool.QueryRow(ctx, sql.Postgres("feed_ranking_version"), version).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return rank.Config{}, core.InvalidField("rollback_to", "there is no version %d", version)
	}
	if err != nil {
		return rank.Config{}, core.Unavailable("PostgreSQL", time.Second,
			fmt.Errorf("ranking version %d: %w", version, err))
	}
	return t.parse(text)
}

// Past is one version of the history.
type Past struct {
	Version   uint64      `json:"version"`
	Ranking   rank.Config `json:"ranking"`
	ChangedBy string      `json:"changed_by"`
	Note      string      `json:"note"`
	ChangedAt time.Time   `json:"changed_at"`
}

// History is the last versions, latest first.
func (t *Tuner) History(ctx context.Context, limit int) ([]Past, error) {
	rows, err := t.pool.Query(ctx, sql.Postgres("feed_ranking_history"), limit)
	if err != nil {
		return nil, core.Unavailable("PostgreSQL", time.Second, fmt.Errorf("history of the ranking: %w", err))
	}
	past, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Past, err error) {
		var text []byte
		if err = row.Scan(&p.Version, &text, &p.ChangedBy, &p.Note, &p.ChangedAt); err != nil {
			return p, err
		}
		p.ChangedAt = p.ChangedAt.UTC()
		p.Ranking, err = t.parse(text)
		return p, err
	})
	if err != nil {
		return nil, core.Unavailable("PostgreSQL", time.Second, fmt.Errorf("history of the ranking: %w", err))
	}
	return past, nil
}

// parse reads a stored version. A constant that it does not have yet is the file's.
func (t *Tuner) parse(text []byte) (rank.Config, error) {
	cfg := t.file
	if err := json.Unmarshal(text, &cfg); err != nil {
		return rank.Config{}, err
	}
	return cfg, t.Validate(cfg)
}

// Validate holds every constant to its range and names the first that is out of it.
func (t *Tuner) Validate(cfg rank.Config) error {
	var problems validator.ValidationErrors
	if cfg.Weights == (rank.Weights{}) {
		return core.InvalidField("ranking.weights", "are all 0: every post would score the same")
	}
	err := t.validate.Struct(cfg)
	if !errors.As(err, &problems) {
		return err
	}
	p := problems[0]
	field := "ranking." + strings.TrimPrefix(p.Namespace(), "Config.")
	bound := map[string]string{"gte": "at least", "lte": "at most"}[p.Tag()]
	return core.InvalidField(field, "is %v; want %s %s", p.Value(), cmp.Or(bound, p.Tag()), p.Param())
}
