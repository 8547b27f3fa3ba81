package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// Ping asks whether any broker answers. That it takes connections is not enough: one that hangs does,
// too.
func (c Config) Ping(ctx context.Context) error {
	config, err := c.Sarama()
	if err != nil {
		return err
	}
	timeout := c.DialTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, max(time.Millisecond, core.Left(deadline)))
	}
	config.Net.DialTimeout, config.Net.ReadTimeout, config.Net.WriteTimeout = timeout, timeout, timeout
	var failures []error
	for _, address := range c.Brokers {
		err := ping(sarama.NewBroker(address), config)
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", address, err))
	}
	return errors.Join(failures...)
}

func ping(broker *sarama.Broker, config *sarama.Config) error {
	if err := broker.Open(config); err != nil {
		return err
	}
	_, err := broker.ApiVersions(&sarama.ApiVersionsRequest{})
	if closing := broker.Close(); err == nil {
		return closing
	}
	return err
}
