package console

import (
	"time"

	"github.com/feedrank/feedrank/modules/console/provider"
)

// Config is of the pages for operators under /console.
type Config struct {
	Session    time.Duration   `koanf:"session" validate:"gte=1m,lte=168h"` // how long somebody stays logged in at most; never longer than their token holds
	NameColumn string          `koanf:"name_column" validate:"max=63"`      // the column of the app's table of users (cdc.tables.user) that has their names, to find them by; it is read when an operator asks, and never copied; empty: by their keys only
	OIDC       provider.Config `koanf:"oidc"`                               // logs operators in at your provider (OpenID Connect), beside tokens
}

// DefaultConfig lasts for a working day.
func DefaultConfig() Config { return Config{Session: 12 * time.Hour, OIDC: provider.DefaultConfig()} }
