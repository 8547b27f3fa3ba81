package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/rueidis"
)

// Mode is what stands at the configured addresses.
type Mode string

// Auto asks the first address that answers. A managed cluster has one address, and a single server may have
// several: their number says nothing.
const (
	Auto     Mode = "auto"
	Single   Mode = "single"
	Cluster  Mode = "cluster"
	Sentinel Mode = "sentinel"
)

// errNoMaster says what a sentinel needs.
var errNoMaster = errors.New("a sentinel answers at redis.addrs: set redis.sentinel_master to the name of the master that it watches")

func (c *Client) dial() (rueidis.Client, error) {
	option, err := c.option()
	if err != nil {
		return nil, err
	}
	mode, err := c.mode(option)
	if err != nil {
		return nil, err
	}
	switch {
	case mode == Sentinel && c.cfg.SentinelMaster == "":
		return nil, errNoMaster
	case mode == Sentinel:
		option.Sentinel = rueidis.SentinelOption{
			MasterSet: c.cfg.SentinelMaster, Username: c.cfg.SentinelUser, Password: c.cfg.SentinelPassword,
			ClientName: option.ClientName, TLSConfig: option.TLSConfig, Dialer: option.Dialer,
		}
	case mode == Single:
		option.ForceSingleClient = true
	case c.cfg.DB != 0:
		return nil, errors.New("a cluster answers at redis.addrs, which has no databases: set redis.db to 0")
	}
	return rueidis.NewClient(option)
}

func (c *Client) option() (rueidis.ClientOption, error) {
	tlsConfig, err := c.cfg.TLS.Client()
	if err != nil {
		return rueidis.ClientOption{}, fmt.Errorf("redis.%w", err)
	}
	return rueidis.ClientOption{
		InitAddress: c.cfg.Addrs, Username: c.cfg.User, Password: c.cfg.Password, SelectDB: c.cfg.DB,
		ClientName: "feedrank", DisableCache: c.cfg.DisableCache, TLSConfig: tlsConfig,
		Dialer: net.Dialer{Timeout: c.cfg.DialTimeout}, ConnWriteTimeout: c.cfg.WriteTimeout,
		DisableRetry: true, // a cache that is slow is asked again by the next request, not by this one
	}, nil
}

// mode is the configured one, or what the servers say of themselves.
func (c *Client) mode(option rueidis.ClientOption) (Mode, error) {
	c.mu.Lock()
	cluster := c.cluster
	c.mu.Unlock()
	switch {
	case c.cfg.Mode != Auto && c.cfg.Mode != "":
		return c.cfg.Mode, nil
	case c.cfg.SentinelMaster != "":
		return Sentinel, nil
	case cluster:
		return Cluster, nil
	}
	var failures error
	for _, addr := range c.cfg.Addrs {
		option.InitAddress, option.ForceSingleClient, option.DisableCache, option.SelectDB = []string{addr}, true,
			true, 0
		mode, err := c.ask(option)
		if err == nil {
			return mode, nil
		}
		failures = errors.Join(failures, fmt.Errorf("%s: %w", addr, err))
	}
	return "", failures
}

// ask has one server say what it is. Who is not allowed to ask finds out by the first MOVED.
func (c *Client) ask(option rueidis.ClientOption) (Mode, error) {
	conn, err := rueidis.NewClient(option)
	if err != nil {
		// A sentinel knows no SELECT and no passwords of its masters'.
		if strings.Contains(err.Error(), "unknown command") {
			return Sentinel, nil
		}
		return "", err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.WriteTimeout)
	defer cancel()
	info, err := conn.Do(ctx, conn.B().Info().Section("server").Build()).ToString()
	if _, refused := rueidis.IsRedisErr(err); err != nil && !refused {
		return "", err
	}
	for line := range strings.Lines(info) {
		switch strings.TrimSpace(line) {
		case "redis_mode:cluster", "server_mode:cluster": // Valkey says the second
			return Cluster, nil
		case "redis_mode:sentinel", "server_mode:sentinel":
			return Sentinel, nil
		}
	}
	return Single, nil
}
