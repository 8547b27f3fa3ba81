package erase

// Config is of erasures that are asked for through the API, which the replica that leads the jobs carries out.
type Config struct {
	User     string `koanf:"clickhouse_user"`                   // who removes the rows: one with the grants of feedrank_erase (config/grants); empty: clickhouse.user
	Password string `koanf:"clickhouse_password" secret:"true"` // theirs
}

// DefaultConfig is clickhouse.user.
func DefaultConfig() Config { return Config{} }
