package audit

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Service runs audits one at a time, in whichever process, and keeps their reports.
type Service struct {
	cfg     Config
	auditor *Auditor
	store   store
	names   core.Names
	metrics *metrics
	log     *zap.Logger
	workers *worker.Group // audits that were begun over HTTP
}

// NewService makes a service without dialling.
func NewService(cfg Config, auditor *Auditor, pool *pgxpool.Pool, names core.Names, reg prometheus.Registerer,
	log *zap.Logger,
) *Service {
	return &Service{
		cfg: cfg, auditor: auditor, store: store{pool}, names: names, metrics: newMetrics(reg),
		log: log.Named("audit"), workers: worker.NewGroup(nil),
	}
}

// ErrRunning is returned while another audit runs, in this process or another.
var ErrRunning = errors.New("an audit is running already")

// Defaults are the options of the configuration.
func (s *Service) Defaults() Options { return Options{Since: s.cfg.Since, Repair: s.cfg.Repair} }

// Run audits and keeps the report. The error tells that the audit did not come to its end; what is
// wrong stands in the report.
func (s *Service) Run(ctx context.Context, o Options) (Report, error) {
	unlock, err := s.store.lock(ctx)
	if err != nil {
		return Report{}, err
	}
	return s.run(ctx, o, unlock)
}

// Begin runs an audit in the background, until the service is stopped.
func (s *Service) Begin(ctx context.Context, o Options) error {
	unlock, err := s.store.lock(ctx)
	if err != nil {
		return err
	}
	s.workers.Go("audit", func(ctx context.Context) error {
		if _, err := s.run(ctx, o, unlock); err != nil {
			s.log.Warn("the audit did not come to its end", zap.Error(err))
		}
		return nil
	})
	return nil
}

// Stop ends the audits that Begin began.
func (s *Service) Stop(ctx context.Context) error { return s.workers.Stop(ctx) }

func (s *Service) run(ctx context.Context, o Options, unlock func() error) (Report, error) {
	s.metrics.running.Inc()
	defer s.metrics.running.Dec()
	r, err := s.auditor.Run(ctx, o)
	s.metrics.observe(&r)
	named := s.named(ctx, r)
	for i := range named.Findings {
		if i == loggedFindings {
			break
		}
		s.log.Error("the audit found something wrong", zap.Stringer("what", named.Findings[i]))
	}
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
	defer cancel()
	return named, errors.Join(err, s.store.save(saving, r), unlock())
}

// last is the last report; nil if there is none.
func (s *Service) last(ctx context.Context) (*Report, error) {
	r, err := s.store.last(ctx)
	if err != nil || r == nil {
		return nil, err
	}
	named := s.named(ctx, *r)
	return &named, nil
}

// loggedFindings bounds the lines of an audit in the log; the report has more.
const loggedFindings = 20
