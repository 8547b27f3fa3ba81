package config

import (
	"reflect"
	"time"

	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/console"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/modules/trending"
	"github.com/feedrank/feedrank/modules/warm"
)

// Config is every setting. config/feedrank.yaml explains each one.
type Config struct {
	Roles      []string          `koanf:"roles" validate:"min=1,dive,oneof=all api events-consumer cdc-consumer cdc-source jobs console"` // what this process does
	Modules    Modules           `koanf:"modules"`
	Lifecycle  Lifecycle         `koanf:"lifecycle"`
	Log        ops.LogConfig     `koanf:"log"`
	Tracing    tracing.Config    `koanf:"tracing"`
	HTTP       httpserver.Config `koanf:"http"`
	Auth       auth.Config       `koanf:"auth"`
	RateLimit  ratelimit.Config  `koanf:"rate_limit"`
	Admission  admission.Config  `koanf:"admission"`
	Kafka      kafka.Config      `koanf:"kafka"`
	ClickHouse clickhouse.Config `koanf:"clickhouse"`
	Retention  migrate.Retention `koanf:"retention"`
	Redis      redis.Config      `koanf:"redis"`
	Postgres   postgres.Config   `koanf:"postgres"`
	Keys       keys.Config       `koanf:"keys"`
	Events     events.Config     `koanf:"events"`
	CDC        cdc.Config        `koanf:"cdc"`
	DeadLetter deadletter.Config `koanf:"dead_letters"`
	Audit      audit.Config      `koanf:"audit"`
	Erase      erase.Config      `koanf:"erase"`
	Engagement core.CountedFrom  `koanf:"engagement"`
	Feed       feed.Config       `koanf:"feed"`
	Ranking    rank.Config       `koanf:"ranking"`
	Breaker    breaker.Config    `koanf:"breaker"`
	Jobs       jobs.Config       `koanf:"jobs"`
	Trending   trending.Config   `koanf:"trending"`
	Suggest    suggest.Config    `koanf:"suggest"`
	Warm       warm.Config       `koanf:"warm"`
	Console    console.Config    `koanf:"console"`
}

// Modules switches each module on or off. One that is off is not in the program's graph.
type Modules struct {
	EventsAPI      Toggle `koanf:"events_api"`
	EventsConsumer Toggle `koanf:"events_consumer"`
	CDCSource      Toggle `koanf:"cdc_source"` // off where Debezium fills the cdc topics
	CDCConsumer    Toggle `koanf:"cdc_consumer"`
	Feed           Toggle `koanf:"feed"`
	Breaker        Toggle `koanf:"breaker"`
	Admission      Toggle `koanf:"admission"`
	Jobs           Toggle `koanf:"jobs"`
	Trending       Toggle `koanf:"trending"`
	Suggest        Toggle `koanf:"suggest"`
	Warm           Toggle `koanf:"warm"`
	Audit          Toggle `koanf:"audit"`
	Resync         Toggle `koanf:"resync"`
	Console        Toggle `koanf:"console"`
}

// Toggle is a module's switch.
type Toggle struct {
	Enabled bool `koanf:"enabled"`
}

// Toggle finds a module's switch by its key; nil if there is none.
func (m *Modules) Toggle(name string) *Toggle {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("koanf") == name {
			toggle, _ := v.Field(i).Addr().Interface().(*Toggle)
			return toggle
		}
	}
	return nil
}

// Lifecycle bounds start and stop.
type Lifecycle struct {
	StartTimeout time.Duration `koanf:"start_timeout" validate:"gte=1s,lte=10m"` // for all modules together
	StopTimeout  time.Duration `koanf:"stop_timeout" validate:"gte=1s,lte=10m"`  // for draining and stopping all modules together
}

// Default is the configuration without a file, as config/feedrank.yaml writes it out.
func Default() Config {
	on := Toggle{Enabled: true}
	cfg := Config{
		Roles: []string{"all"},
		Modules: Modules{
			EventsAPI: on, EventsConsumer: on, CDCSource: on, CDCConsumer: on, Feed: on, Breaker: on, Admission: on,
			Jobs: on, Trending: on, Suggest: on, Warm: on, Audit: on, Resync: on, Console: on,
		},
		Lifecycle:  Lifecycle{StartTimeout: time.Minute, StopTimeout: 30 * time.Second},
		Log:        ops.DefaultLogConfig(),
		Tracing:    tracing.DefaultConfig(),
		HTTP:       httpserver.DefaultConfig(),
		Auth:       auth.DefaultConfig(),
		RateLimit:  ratelimit.DefaultConfig(),
		Admission:  admission.DefaultConfig(),
		Kafka:      kafka.DefaultConfig(),
		ClickHouse: clickhouse.DefaultConfig(),
		Retention:  migrate.DefaultRetention(),
		Redis:      redis.DefaultConfig(),
		Postgres:   postgres.DefaultConfig(),
		Keys:       keys.DefaultConfig(),
		Events:     events.DefaultConfig(),
		CDC:        cdc.DefaultConfig(),
		DeadLetter: deadletter.DefaultConfig(),
		Audit:      audit.DefaultConfig(),
		Erase:      erase.DefaultConfig(),
		Engagement: core.CountedFromEvents(),
		Feed:       feed.DefaultConfig(),
		Ranking:    rank.DefaultConfig(),
		Breaker:    breaker.DefaultConfig(),
		Jobs:       jobs.DefaultConfig(),
		Trending:   trending.DefaultConfig(),
		Suggest:    suggest.DefaultConfig(),
		Warm:       warm.DefaultConfig(),
		Console:    console.DefaultConfig(),
	}
	return cfg.WithKeyForms()
}

// WithKeyForms tells the parts of the program that read keys what those look like.
func (c Config) WithKeyForms() Config {
	if c.Engagement.Likes == "cdc" {
		c.Engagement.Heaviest = c.CDC.Tables.Heaviest()
	}
	c.Auth.UserKeys, c.Events.Keys, c.CDC.Tables.Keys = c.Keys.Users, c.Keys.Forms(), c.Keys.Forms()
	return c
}
