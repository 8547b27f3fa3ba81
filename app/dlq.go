package app

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// WithLetters gives a command the queues.
func WithLetters(cfg config.Config, f func(*deadletter.Service) error) (err error) {
	producer := kafka.NewProducer(cfg.Kafka)
	defer func() { err = errors.Join(err, producer.Close()) }()
	metrics := deadletter.NewMetrics(prometheus.NewRegistry())
	return f(deadletter.NewService(cfg.DeadLetter, cfg.Kafka, producer, core.SystemClock{}, metrics))
}
