// Package importer brings events of the past from files into the topic of events, for `feedrank import events`: CSV,
// JSON lines and Parquet. From there they go the way of all events, and count once.
//
// A row is read (source.go and a file for each format) as a JSON object, held to what the API holds a request to
// (codec.RowDecoder), and sent in the order of the file (run.go). An event's id is the row's own where it has one that
// is a UUID; else one is made from the row's own, or from its content and its number in the file. So a row that is sent
// twice is a copy, which the consumer leaves out, and two rows with the same content are two events.
//
// After each batch that Kafka has on all replicas a checkpoint beside the file says how far it is (checkpoint.go). Who
// is killed goes on there: what was sent after the last checkpoint is sent again. A checkpoint of another topic, other
// options or other content is none, and the file is read from its beginning.
//
// Events older than events.accepted_age are refused, as the API refuses them: the consumer knows copies as long as
// ClickHouse keeps raw events, which is 30 days after they occurred, and a row that is older could count twice. To
// import as much as there can be, set events.accepted_age of the program and the import to 26 days for that time
// (together with events.retention it must stay below 30 days). Affinity and counts of older days are not to be had.
// Quotas (events.bound) are not applied; where events.require_session is set, impressions of the past count nothing.
//
// The import waits while the consumer has more than a number of records before it: what people do meanwhile waits
// behind them.
package importer
