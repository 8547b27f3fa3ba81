package ops

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `koanf:"level" validate:"oneof=debug info warn error"`
	Format string `koanf:"format" validate:"oneof=json console"`
}

// DefaultLogConfig suits a log collector.
func DefaultLogConfig() LogConfig { return LogConfig{Level: "info", Format: "json"} }

// NewLogger writes to standard error. NewLevel changes what it writes.
func NewLogger(cfg LogConfig) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	config := zap.NewProductionConfig()
	config.Level = zap.NewAtomicLevelAt(level)
	config.Encoding = cfg.Format
	config.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	config.EncoderConfig.EncodeDuration = zapcore.StringDurationEncoder
	config.DisableStacktrace = true
	return config.Build(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return leveled{c, config.Level} }))
}
