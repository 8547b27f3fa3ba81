package app_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
)

var everyRole = []app.Role{app.All, app.API, app.EventsConsumer, app.CDCConsumer, app.CDCSource, app.Jobs, app.Console}

func settings() config.Config {
	cfg := config.Default()
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	return cfg
}

func TestTheGraphIsCompleteForEveryRole(t *testing.T) {
	for _, role := range everyRole {
		cfg := settings()
		cfg.Roles = []string{string(role)}
		require.NoError(t, app.Validate(cfg), role)
	}
}

func TestTheGraphIsCompleteWithAnyModuleOff(t *testing.T) {
	for _, role := range everyRole {
		for _, choice := range app.Choose(settings()) {
			if choice.Switch == "" {
				continue
			}
			cfg := settings()
			cfg.Roles = []string{string(role)}
			cfg.Modules.Toggle(choice.Switch).Enabled = false
			for _, after := range app.Choose(cfg) {
				if after.Name == choice.Name {
					require.False(t, after.On)
					require.Contains(t, after.Why, "modules."+choice.Switch+".enabled")
				}
			}
			require.NoError(t, app.Validate(cfg), "%s without %s", role, choice.Name)
		}
	}
}

func TestAModuleRunsOnlyInItsRoles(t *testing.T) {
	cfg := settings()
	cfg.Roles = []string{"cdc-consumer"}
	for _, choice := range app.Choose(cfg) {
		switch choice.Name {
		case "cdc_consumer", "http", "ops":
			require.True(t, choice.On, choice.Name)
		case "feed", "events_api", "events_consumer", "cdc_source", "auth":
			require.False(t, choice.On, choice.Name)
		}
	}
}
