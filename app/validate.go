package app

import (
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
)

// Validate tells whether the graph of these settings is complete, without making anything.
func Validate(cfg config.Config) error {
	return fx.ValidateApp(composition(cfg, zap.NewNop()), fx.NopLogger)
}
