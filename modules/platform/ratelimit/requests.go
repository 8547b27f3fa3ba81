package ratelimit

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Requests are the limits of requests, as the server asks for them.
type Requests struct {
	user, address *Limiter
	sync          *Sync
}

// NewRequests makes the limits. Without a running Sync they hold in this process alone.
func NewRequests(cfg Config, client *redis.Client, clock core.Clock, reg prometheus.Registerer,
	log *zap.Logger,
) *Requests {
	user, address := cfg.rules()
	r := &Requests{user: NewLimiter(user, clock), address: NewLimiter(address, clock)}
	failed := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "feedrank_rate_limit_sync_errors_total",
		Help: "Rounds in which the replicas could not be told of each other's counts; each held the limits alone.",
	})
	reg.MustRegister(failed)
	Register(reg, r.user, r.address)
	r.sync = NewSync(client, func(err error) {
		failed.Inc()
		log.Debug("rate limits hold in this replica alone", zap.Error(err))
	}, r.user, r.address)
	return r
}

// Register has metrics of limiters.
func Register(reg prometheus.Registerer, limiters ...*Limiter) {
	for _, l := range limiters {
		labels := prometheus.Labels{"rule": l.rule.Name}
		reg.MustRegister(
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "feedrank_rate_limit_refused_total",
				Help: "What was refused because there was too much of it, by rule.", ConstLabels: labels,
			}, func() float64 { return float64(l.refused.Load()) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "feedrank_rate_limit_shared_total",
				Help: "What was counted together with others because too many keys are counted already, by rule; raise max_keys.", ConstLabels: labels,
			}, func() float64 { return float64(l.shared.Load()) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "feedrank_rate_limit_shut_out_total",
				Help: "Accounts that were refused until the window's end because their keys filled the memory, by rule.", ConstLabels: labels,
			}, func() float64 { return float64(l.shut.Load()) }),
		)
	}
}

// Limits are the functions that the server calls.
func (r *Requests) Limits() httpserver.Limits {
	policy := func(l *Limiter) (name, text string) {
		return fmt.Sprintf("%q", l.rule.Name), fmt.Sprintf("%q;q=%d;w=%d", l.rule.Name, l.rule.Limit,
			int(l.rule.Window.Seconds()))
	}
	userName, userPolicy := policy(r.user)
	addressName, addressPolicy := policy(r.address)
	return httpserver.Limits{
		User: func(id core.ID) httpserver.Quota {
			return quota(r.user, Key{Who: uint64(id)}, userName, userPolicy)
		},
		Address: func(addr netip.Addr) httpserver.Quota {
			return quota(r.address, addressKey(addr), addressName, addressPolicy)
		},
	}
}

// addressKey takes the network of an IPv6 address: each subscriber has 2^64 of them.
func addressKey(addr netip.Addr) Key {
	if addr.Is4() {
		b := addr.As4()
		return Key{Who: uint64(binary.BigEndian.Uint32(b[:])), What: 4}
	}
	b := addr.As16()
	return Key{Who: binary.BigEndian.Uint64(b[:8]), What: 6}
}

func quota(l *Limiter, key Key, name, policy string) httpserver.Quota {
	v := l.Take(key)
	return httpserver.Quota{
		OK: v.OK, Limit: l.rule.Limit, Remaining: v.Remaining, Reset: v.Reset, Retry: v.Retry, Name: name,
		Policy: policy,
	}
}
