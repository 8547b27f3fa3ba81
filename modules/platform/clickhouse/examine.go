package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Unsuitable is why a server, or what its profile makes of our user, cannot hold what we promise.
type Unsuitable struct{ Addr, Why string }

// Error says what to do.
func (u *Unsuitable) Error() string { return fmt.Sprintf("clickhouse %s: %s", u.Addr, u.Why) }

// Examine looks at every server that answers: its version, and whether our settings hold there. It returns what an
// operator should know, and an Unsuitable if one of them cannot be used; another error says that none answered.
func Examine(ctx context.Context, cfg Config) (warnings []string, err error) {
	answered := false
	var away []error
	for _, addr := range cfg.Addrs {
		one := cfg
		one.Addrs = []string{addr}
		one.QueryTimeout = min(cfg.QueryTimeout, cfg.DialTimeout*2)
		told, err := examine(ctx, one)
		var unsuitable *Unsuitable
		switch {
		case errors.As(err, &unsuitable):
			return warnings, err
		case err != nil:
			away = append(away, err)
		default:
			answered = true
			warnings = append(warnings, told...)
		}
	}
	if !answered {
		return nil, errors.Join(away...)
	}
	return warnings, nil
}

func examine(ctx context.Context, cfg Config) (warnings []string, err error) {
	cfg.Database = "" // ours may not be there yet
	client := New(cfg, prometheus.NewRegistry())
	defer client.Close()
	var text proto.ColStr
	var readonly proto.ColUInt64
	err = client.do(ctx, Query{Name: "examine", Query: ch.Query{
		Body:   "SELECT version() AS version, toUInt64(getSetting('readonly')) AS readonly",
		Result: proto.Results{{Name: "version", Data: &text}, {Name: "readonly", Data: &readonly}},
	}}, withoutOffset(known())) // an old server would not know them all
	// a password is no setting: it is as if it was away
	if exception, ok := AsException(err); ok && exception.Code != proto.ErrAuthenticationFailed {
		return nil, &Unsuitable{
			cfg.Addrs[0],
			fmt.Sprintf("the profile of user %s does not let us set what our promises rest on: %s; "+
				"take readonly or the constraint off, or give the user a profile of its own", cfg.User,
				exception.Message),
		}
	}
	if err != nil {
		return nil, err
	}
	if text.Rows() == 0 {
		return nil, &Unsuitable{
			cfg.Addrs[0],
			fmt.Sprintf("the profile of user %s sets offset; where the server's default profile does, "+
				"`feedrank erase` removes nothing, because mutations run with that: take it off", cfg.User),
		}
	}
	version, err := suitable(text.Row(0))
	if err != nil {
		return nil, &Unsuitable{cfg.Addrs[0], err.Error()}
	}
	if mode := readonly.Row(0); mode != 0 {
		return nil, &Unsuitable{
			cfg.Addrs[0],
			fmt.Sprintf("the profile of user %s has readonly = %d, with which nothing can be written; "+
				"give it a profile with readonly = 0", cfg.User, mode),
		}
	}
	return losses(version), nil
}

// withoutOffset shows the profile's: it skips the one row that we ask for.
func withoutOffset(settings []ch.Setting) []ch.Setting {
	return slices.DeleteFunc(settings, func(s ch.Setting) bool { return s.Key == "offset" })
}

// suitable is the version, if we can work with it.
func suitable(text string) (Version, error) {
	version, err := ParseVersion(text)
	if err != nil {
		return version, fmt.Errorf("%w; we need at least %d.%d", err, oldest[0], oldest[1])
	}
	if version.Before(oldest) {
		return version, fmt.Errorf("version %s is too old; we need at least %d.%d", text, oldest[0], oldest[1])
	}
	return version, nil
}

// examiner looks at the servers when we start, or, where none answers then, as soon as one does.
type examiner struct {
	cfg  Config
	log  *zap.Logger
	done atomic.Bool
}

// start refuses to go on with a server that is unsuitable. One that is away is no reason not to start.
func (e *examiner) start(ctx context.Context) error {
	err := e.examine(ctx)
	var unsuitable *Unsuitable
	if err != nil && !errors.As(err, &unsuitable) {
		e.log.Warn("no ClickHouse answers; its version and settings are looked at when one does", zap.Error(err))
		return nil
	}
	return err
}

func (e *examiner) examine(ctx context.Context) error {
	if e.done.Load() {
		return nil
	}
	warnings, err := Examine(ctx, e.cfg)
	if err != nil {
		return err
	}
	if !e.done.Swap(true) {
		for _, w := range warnings {
			e.log.Warn(w)
		}
	}
	return nil
}
