package app

import (
	"time"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/config/prometheus"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/console"
	"github.com/feedrank/feedrank/modules/console/people"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// processRoles are what this process does.
type processRoles []string

// pages are the console, which is told what it serves.
func pages() fx.Option {
	return fx.Options(console.Module(), fx.Provide(func(roles processRoles, a auth.Config) console.Process {
		return console.Process{
			Version: Version, Roles: roles, Scopes: [2]string{a.AdminScope, a.ReadScope}, Runbook: prometheus.Runbook,
		}
	}, func(cfg console.Config, a auth.Config, clock core.Clock) console.Signer {
		return func(name string, reads bool) (string, error) {
			return auth.SignSession(a, name, reads, cfg.Session, clock.Now())
		}
	}, func(cfg console.Config, tables cdc.Config) people.Table {
		user := tables.Tables.User
		return people.Table{
			Table: user.Table, ID: user.Column("id"), Name: cfg.NameColumn, Keys: tables.Tables.Keys.Users,
		}
	}))
}

// ConsoleAddress is where the console is, with a link that logs in once as an operator of this name. It is empty where
// this process has no console; without a key to sign a token with, the link asks for one.
func (p *Program) ConsoleAddress(name string, validFor time.Duration) string {
	if p.console == nil {
		return ""
	}
	base := "http://" + p.AdminAddr()
	if p.cfg.HTTP.TLS.Enabled() {
		base = "https://" + p.AdminAddr()
	}
	token, err := auth.SignOperator(p.cfg.Auth, name, false, p.cfg.Console.Session, core.SystemClock{}.Now())
	if err != nil {
		return base + "/console"
	}
	return base + p.console.Link(token, validFor)
}
