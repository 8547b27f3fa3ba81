// Package resync compares the app's tables with their copies while changes go on, and repairs what differs.
//
//	chunks, hash        a table is compared a chunk at a time, ClickHouse first
//	differences         a row counts as lost if it differs still once all that was in flight is applied
//	watermark           tells when that is
//	repair, keys        a repair goes through Kafka, under the row's key, to the partition's one writer
//	checkpoint          how far a comparison came, for the next one to go on from
package resync
