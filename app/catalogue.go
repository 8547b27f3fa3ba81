package app

import (
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/adminlog"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/console"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/httpapi"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/openapi"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/replicas"
)

// Role is what a process is there for. A process may have several.
type Role string

// The roles. All stands for every other.
const (
	All            Role = "all"
	API            Role = "api"
	EventsConsumer Role = "events-consumer"
	CDCConsumer    Role = "cdc-consumer"
	CDCSource      Role = "cdc-source"
	Jobs           Role = "jobs"
	Console        Role = "console"
)

// Module is one entry of the catalogue. Modules start in the order of the catalogue and stop in the
// opposite one.
type Module struct {
	Name  string
	Says  string // what it does, in a few words
	Roles []Role // empty: every process has it
	Needs []string
	// Switch is the key below modules that switches it off; empty for what cannot be.
	Switch  string
	Options fx.Option
	// Off stands in where the module is not in the graph, for those who call it; may be nil.
	Off fx.Option
}

// catalogue lists every module. The platform comes first, so that it is stopped last; the server
// comes last, so that it answers only what has started, and is drained first.
func catalogue() []Module {
	return []Module{
		{Name: "ops", Says: "health, readiness and metrics", Options: ops.Module()},
		{Name: "tracing", Says: "sends traces to a collector", Options: tracing.Module()},
		{Name: "postgres", Says: "client of the app's database", Options: postgres.Module()},
		{Name: "clickhouse", Says: "client of ClickHouse", Options: clickhouse.Module()},
		{Name: "redis", Says: "client of Redis", Options: redis.Module()},
		{Name: "kafka", Says: "client of Kafka", Options: kafka.Module()},
		{
			Name: "erase", Says: "knows who is erased", Roles: []Role{API, EventsConsumer, CDCConsumer, Jobs, Console},
			Options: erased(),
		},
		{
			Name: "keys", Says: "knows the texts of keys that are no integers",
			Roles: []Role{API, EventsConsumer, CDCConsumer, Jobs, Console}, Options: keyBook(),
		},
		{
			Name: "auth", Says: "verifies tokens", Roles: []Role{API, Console},
			Options: fx.Options(auth.Module(), themselves()),
			Off:     fx.Supply(fx.Annotate(nobody{}, fx.As(new(httpserver.Authenticator)))),
		},
		{
			Name: "rate_limits", Says: "bounds the requests of a user and of an address",
			Roles:   []Role{API, Console},
			Options: ratelimit.Module(), Off: ratelimit.Off(),
		},
		{
			Name: "admission", Says: "refuses early what is too much", Roles: []Role{API, Console}, Switch: "admission",
			Options: admission.Module(), Off: admission.Off(),
		},
		{
			Name: "dead_letters", Says: "keeps what the consumers cannot apply",
			Roles:   []Role{EventsConsumer, CDCConsumer, API, Jobs, Console},
			Options: deadLetters(),
		},
		{
			Name: "admin_log", Says: "keeps what operators change; /admin/v1/actions", Roles: []Role{API, Console},
			Options: adminlog.Module(),
			Off:     fx.Provide(func() httpserver.Recorder { return nil }),
		},
		{
			Name: "export", Says: "hands out what is held of a person; /admin/v1/people/export",
			Roles: []Role{API, Console}, Options: exports(),
		},
		{
			Name: "erase_api", Says: "erases people whom operators ask to; /admin/v1/people/erase",
			Roles: []Role{API, Console}, Options: eraseOrders(),
		},
		{
			Name: "dead_letters_api", Says: "/admin/v1/dead-letters", Roles: []Role{API, Console},
			Options: deadLettersAPI(),
		},
		{
			Name: "signals", Says: "tells the feed what the consumers applied",
			Roles:  []Role{EventsConsumer, CDCConsumer},
			Switch: "feed", Options: signals(), Off: noSignals(),
		},
		{
			Name: "events_consumer", Says: "applies events to ClickHouse", Roles: []Role{EventsConsumer},
			Switch: "events_consumer", Options: events.ConsumerModule(),
		},
		{
			Name: "cdc_source", Says: "reads PostgreSQL's log into Kafka", Roles: []Role{CDCSource},
			Switch: "cdc_source", Options: cdc.SourceModule(),
		},
		{
			Name: "cdc_consumer", Says: "copies the app's tables to ClickHouse", Roles: []Role{CDCConsumer},
			Switch: "cdc_consumer", Options: cdc.ConsumerModule(),
		},
		{
			Name: "suggest_signals", Says: "takes whom a user follows or blocks out of what is suggested to them",
			Roles:  []Role{CDCConsumer},
			Switch: "suggest", Options: suggestSignals(),
		},
		{
			Name: "changes", Says: "tells everybody of the changes that the consumer applied", Roles: []Role{CDCConsumer},
			Options: changes(),
		},
		{
			Name: "breaker", Says: "stops asking what fails or is slow", Roles: []Role{API},
			Switch: "breaker", Options: breakers(), Off: noBreakers(),
		},
		{Name: "replicas", Says: "knows the other replicas, and what is forced for all", Options: told()},
		{
			Name: "replicas_api", Says: "/admin/v1/replicas", Roles: []Role{API, Console},
			Options: replicas.APIModule(),
		},
		{
			Name: "feed", Says: "GET /api/v1/feed, and the hot set behind it", Roles: []Role{API},
			Switch: "feed", Options: fx.Options(feed.Module(), httpapi.Module(), hotChanges(), tables(),
				trendingLists(), warmedFeeds(), hides(), keptNames()), Off: noHides(),
		},
		{
			Name: "events_api", Says: "POST /api/v1/events", Roles: []Role{API},
			Switch: "events_api", Options: events.APIModule(),
		},
		{
			Name: "audit", Says: "recounts what the events consumer did", Roles: []Role{API, Jobs},
			Switch: "audit", Options: audits(),
		},
		{
			Name: "suggest", Says: "GET /api/v1/discover/suggested-users", Roles: []Role{API},
			Switch: "suggest", Options: suggestions(),
		},
		{
			Name: "warm", Says: "computes ahead for users who are likely to come", Roles: []Role{API},
			Switch: "warm", Options: warming(),
		},
		{
			Name: "trending_job", Says: "publishes trending posts", Roles: []Role{Jobs},
			Switch: "trending", Options: trendingJob(),
		},
		{
			Name: "suggest_job", Says: "publishes popular people", Roles: []Role{Jobs},
			Switch: "suggest", Options: suggestJob(),
		},
		{
			Name: "warm_job", Says: "lists users who are likely to come", Roles: []Role{Jobs},
			Switch: "warm", Options: warmJob(),
		},
		{
			Name: "refill_job", Says: "gives Redis back what viewers saw and hid when it was emptied",
			Roles:  []Role{Jobs},
			Switch: "feed", Options: refillJob(),
		},
		{
			Name: "resync_job", Says: "compares the app's tables with their copies, and repairs", Roles: []Role{Jobs},
			Switch: "resync", Options: resyncJob(),
		},
		{
			Name: "dead_letters_job", Says: "replays and discards dead letters that match", Roles: []Role{Jobs},
			Options: deadLettersJob(),
		},
		{
			Name: "erase_job", Says: "erases people whom operators asked to", Roles: []Role{Jobs}, Options: eraseJob(),
		},
		{
			Name: "jobs", Says: "runs the jobs in one replica at a time", Roles: []Role{Jobs},
			Switch: "jobs", Options: jobs.Module(),
		},
		{
			Name: "jobs_api", Says: "/admin/v1/jobs", Roles: []Role{API, Console},
			Switch: "jobs", Options: jobs.APIModule(), Off: fx.Provide(func() *jobs.History { return nil }),
		},
		{
			Name: "console", Says: "/console: pages for operators and product people", Roles: []Role{Console},
			Switch: "console", Options: pages(), Off: console.Off(),
		},
		{Name: "openapi", Says: "/openapi.json", Options: openapi.Module()},
		{Name: "http", Says: "the HTTP server", Options: httpserver.Module()},
	}
}

// Choice says whether a module runs in this process, and why.
type Choice struct {
	Module
	On  bool
	Why string
}

// Choose decides for every module of the catalogue.
func Choose(cfg config.Config) []Choice {
	choices := make([]Choice, 0, len(catalogue()))
	for _, m := range catalogue() {
		choice := Choice{Module: m, On: true, Why: "every process has it"}
		role, wanted := wantedBy(m, cfg.Roles)
		switch {
		case m.Switch != "" && !cfg.Modules.Toggle(m.Switch).Enabled:
			choice.On, choice.Why = false, "modules."+m.Switch+".enabled is false"
		case len(m.Roles) > 0 && !wanted:
			choice.On, choice.Why = false, "none of its roles is on"
		case len(m.Roles) > 0:
			choice.Why = "role " + role
		}
		choices = append(choices, choice)
	}
	return choices
}

func wantedBy(m Module, roles []string) (string, bool) {
	for _, role := range roles {
		if role == string(All) || slices.Contains(m.Roles, Role(role)) {
			return role, true
		}
	}
	return "", false
}

// RoleNames joins the roles of a module for people.
func (m Module) RoleNames() string {
	if len(m.Roles) == 0 {
		return "every"
	}
	names := make([]string, len(m.Roles))
	for i, role := range m.Roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}
