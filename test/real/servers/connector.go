//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ConnectorConfig says what a Debezium connector captures.
type ConnectorConfig struct {
	Name        string            // also of its slot and publication: lower case letters, digits and underscores
	DSN         string            // of the database
	TopicPrefix string            // topics are <this>.<schema>.<table>
	Tables      []string          // schema.table
	Partitions  int               // of the topics that it makes; zero: 1
	Schemas     bool              // wrap every key and value as {"schema": …, "payload": …}
	Extra       map[string]string // added to Debezium's settings, or instead of them
}

// Connector is a Debezium connector on the stack's Kafka Connect.
type Connector struct {
	stack  *Stack
	config ConnectorConfig
}

// Connector creates a connector, or changes the one of that name. It returns when Connect has
// accepted it, which is before it reads: see Await.
func (s *Stack) Connector(ctx context.Context, config ConnectorConfig) (*Connector, error) {
	settings, err := config.settings()
	if err != nil {
		return nil, err
	}
	c := &Connector{stack: s, config: config}
	if err := c.request(ctx, http.MethodPut, "/config", settings, http.StatusOK, http.StatusCreated); err != nil {
		return nil, err
	}
	return c, nil
}

// Delete ends the connector and drops its slot and publication.
func (c *Connector) Delete(ctx context.Context) error {
	if err := c.request(ctx, http.MethodDelete, "", nil, http.StatusNoContent, http.StatusNotFound); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, c.config.DSN)
	if err != nil {
		return fmt.Errorf("connector %s: %w", c.config.Name, err)
	}
	// The slot is free only when the task, which ends in the background, has let go of it.
	drop := "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1"
	err = retry(ctx, func() error {
		_, err := conn.Exec(ctx, drop, c.config.Name)
		return err
	})
	if err == nil {
		_, err = conn.Exec(ctx, "DROP PUBLICATION IF EXISTS "+pgx.Identifier{c.config.Name}.Sanitize())
	}
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("connector %s: %w", c.config.Name, err)
	}
	return nil
}

// Stop ends the connector's task, and its producer, but keeps its place: see Resume.
func (c *Connector) Stop(ctx context.Context) error {
	if err := c.request(ctx, http.MethodPut, "/stop", nil, http.StatusNoContent, http.StatusAccepted); err != nil {
		return err
	}
	return retry(ctx, func() error { // the slot is free once the task has ended
		status, err := c.Status(ctx)
		if err == nil && (!strings.Contains(status, `"connector":{"state":"STOPPED"`) ||
			!strings.Contains(status, `"tasks":[]`)) {
			err = fmt.Errorf("connector %s: %s", c.config.Name, status)
		}
		return err
	})
}

// Resume has a stopped connector go on.
func (c *Connector) Resume(ctx context.Context) error {
	return c.request(ctx, http.MethodPut, "/resume", nil, http.StatusAccepted)
}

// Status is what Connect says of the connector and its task. It may be from before a kill.
func (c *Connector) Status(ctx context.Context) (string, error) {
	_, body, err := call(ctx, http.MethodGet, c.url("/status"), nil)
	return body, err
}

func (c *Connector) url(path string) string {
	return "http://" + c.stack.Connect.Addr() + "/connectors/" + c.config.Name + path
}

// request repeats what Connect refuses while it rebalances or starts.
func (c *Connector) request(ctx context.Context, method, path string, body any, accepted ...int) error {
	err := retry(ctx, func() error {
		status, answer, err := call(ctx, method, c.url(path), body)
		if err != nil {
			return err
		}
		for _, code := range accepted {
			if status == code {
				return nil
			}
		}
		err = fmt.Errorf("%d %s", status, answer)
		if status == http.StatusBadRequest {
			return permanent{err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s connector %s: %w", strings.ToLower(method), c.config.Name, err)
	}
	return nil
}

func (c ConnectorConfig) settings() (map[string]string, error) {
	dsn, err := url.Parse(c.DSN)
	if err != nil {
		return nil, fmt.Errorf("connector %s: DSN: %w", c.Name, err)
	}
	settings := map[string]string{
		"connector.class":                           "io.debezium.connector.postgresql.PostgresConnector",
		"tasks.max":                                 "1",
		"plugin.name":                               "pgoutput",
		"database.hostname":                         dsn.Hostname(),
		"database.port":                             dsn.Port(),
		"database.user":                             dsn.User.Username(),
		"database.dbname":                           strings.TrimPrefix(dsn.Path, "/"),
		"topic.prefix":                              c.TopicPrefix,
		"table.include.list":                        strings.Join(c.Tables, ","),
		"slot.name":                                 c.Name,
		"publication.name":                          c.Name,
		"publication.autocreate.mode":               "filtered",
		"snapshot.mode":                             "initial",
		"decimal.handling.mode":                     "string",
		"skipped.operations":                        "none", // else no truncates
		"provide.transaction.metadata":              "true",
		"heartbeat.interval.ms":                     "1000",
		"poll.interval.ms":                          "50",
		"retriable.restart.connector.wait.ms":       "500",
		"topic.creation.default.partitions":         strconv.Itoa(max(1, c.Partitions)),
		"topic.creation.default.replication.factor": "1",
		"key.converter":                             "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable":              strconv.FormatBool(c.Schemas),
		"value.converter":                           "org.apache.kafka.connect.json.JsonConverter",
		"value.converter.schemas.enable":            strconv.FormatBool(c.Schemas),
	}
	maps.Copy(settings, c.Extra)
	return settings, nil
}

// permanent is an error that no repetition heals.
type permanent struct{ error }

// retry repeats until it succeeds, is told not to, or ctx ends.
func retry(ctx context.Context, f func() error) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := f()
		var final permanent
		if err == nil || errors.As(err, &final) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-again.C:
		}
	}
}
