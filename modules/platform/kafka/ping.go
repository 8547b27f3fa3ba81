package kafka

import (
	"context"
	"errors"
	"net"
)

// Ping asks whether any broker takes connections.
func (c Config) Ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.DialTimeout}
	var failures []error
	for _, broker := range c.Brokers {
		conn, err := dialer.DialContext(ctx, "tcp", broker)
		if err == nil {
			return conn.Close()
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
