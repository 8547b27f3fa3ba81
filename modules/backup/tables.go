package backup

// cloned are the tables of ClickHouse that are backed up, in the order of their clones: see the package.
var cloned = []string{
	"event_ranges", "event_epochs", "event_erasures", "erasures",
	"post_metrics_1h", "user_author_90d",
	"events",
	// copies of the app's tables: rows, then what is made of them, then the texts of their keys
	"cdc_epochs", "cdc_truncates", "users", "posts", "follows", "comments", "likes", "members", "blocks", "hides",
	"viewer_edges", "reactions_by_hour", "reactions_by_user",
	"keys",
}

// inMemory are those of the engine Join, of which BACKUP keeps no rows, with their columns. They are read last.
var inMemory = []struct{ table, columns string }{
	{"partition_owners", "fence UInt64, token UInt64, owner String, claimed_at DateTime64(3, 'UTC')"},
	{"erased_users", "user_id Int64, erased UInt8, erased_at DateTime64(3, 'UTC')"},
}

// passing are those that are not backed up: what owners of partitions were asked, and what they answered.
var passing = []string{"event_requests", "event_answers"}

// ofPostgres are the tables of the schema feedrank that are backed up.
var ofPostgres = []string{
	"admin_actions", "audit_runs", "cdc_leads", "dead_letter_orders", "erase_orders", "job_lead", "job_runs", "jobs",
	"ranking_versions",
}

// ofTheLog are those that are not: they say of the log of a database how far it was read.
var ofTheLog = []string{"cdc_snapshots", "cdc_resync", "heartbeat"}
