package pipeline

import "fmt"

// changesIn is the built-in source: the app's log to Kafka.
func changesIn(r reading) Hop {
	h := Hop{
		ID: "changes-in", Name: "PostgreSQL → Kafka", Does: "the source reads the app's log", From: "postgres",
		To: "kafka", State: Well, Runbook: "SlotHoldsLog",
	}
	if !r.has("feedrank_cdc_source_leader") {
		return h.absent("cdc-source")
	}
	if r.sum("feedrank_cdc_source_leader") == 0 {
		h.State, h.Cause = Absent, "Another replica reads the log, or nobody can at the moment."
		h.Runbook = "NoSource"
	}
	lag, wal := r.sum("feedrank_cdc_source_read_lag_seconds"), r.sum("feedrank_cdc_source_slot_lag_bytes")
	h.add("changes", "%s", Rate(r.rate("feedrank_cdc_source_records_total")))
	h.add("behind", "%s", Seconds(lag))
	h.add("WAL kept", "%s", bytes(wal))
	h.add("reconnects", "%s", count(r.sum("feedrank_cdc_source_reconnects_total")))
	if lag > lateSeconds {
		h.worsen(Late, "the last transaction was read "+Seconds(lag)+" after its commit")
	}
	if wal > muchWAL {
		h.worsen(Late, "PostgreSQL keeps "+bytes(wal)+" of its log for us")
	}
	if n := r.grown("feedrank_cdc_source_reconnects_total"); n > 0 {
		h.worsen(Failed, fmt.Sprintf("the session ended in an error %.0f times in the last seconds", n))
	}
	if n := r.sum("feedrank_cdc_source_table_problems"); n > 0 {
		h.worsen(Failed, fmt.Sprintf("%.0f tables are not read, or not whole: readiness says why", n))
		h.Runbook = "TableNotRead"
	}
	return h
}

// eventsIn is what apps send.
func eventsIn(r reading) Hop {
	h := Hop{
		ID: "events-in", Name: "Apps → Kafka", Does: "POST /api/v1/events", From: "apps", To: "kafka", State: Well,
		Runbook: "FeedErrors",
	}
	if !r.has("feedrank_events_accepted_total") {
		return h.absent("api")
	}
	route := label{"route", "/api/v1/events"}
	h.add("events", "%s", Rate(r.rate("feedrank_events_accepted_total")))
	if p95, ok := r.quantile(0.95, "feedrank_http_request_seconds", route); ok {
		h.add("P95", "≤ %s", Seconds(p95))
	}
	h.add("rejected", "%s", Rate(r.rate("feedrank_events_rejected_total")))
	failing := r.rate("feedrank_http_request_seconds", route, label{"status", "5xx"})
	h.add("5xx", "%s", Rate(failing))
	if failing > 0 {
		h.worsen(Failed, "requests get a 5xx: Kafka does not take what apps send")
	}
	return h
}

// changesApplied is the CDC consumer.
func changesApplied(r reading) Hop {
	h := Hop{
		ID: "changes", Name: "Kafka → ClickHouse, changes", Does: "the CDC consumer copies the app's tables",
		From: "kafka", To: "clickhouse", State: Well, Runbook: "ChangesLate", Letters: "cdc",
	}
	if !r.has("feedrank_cdc_observer_errors_total") {
		return h.absent("cdc-consumer")
	}
	lag, _ := r.most("feedrank_cdc_lag_seconds")
	h.consumer(r, "feedrank_cdc_", max(0, lag))
	if p95, ok := r.quantile(0.95, "feedrank_cdc_commit_to_visible_seconds"); ok {
		h.add("commit to visible, P95", "≤ %s", Seconds(p95))
	}
	if n := r.sum("feedrank_cdc_parked"); n > 0 {
		h.worsen(Failed, fmt.Sprintf("%.0f partitions wait at a record of a converter that we do not read", n))
		h.Runbook = "ChangesParked"
	}
	if n := r.grown("feedrank_cdc_apply_retries_total"); n > 0 {
		h.worsen(Failed, "batches are applied again after errors: ClickHouse refuses or does not answer")
	}
	return h
}

// eventsApplied is the events consumer.
func eventsApplied(r reading) Hop {
	h := Hop{
		ID: "events", Name: "Kafka → ClickHouse, events", Does: "the events consumer counts each event once",
		From: "kafka", To: "clickhouse", State: Well, Runbook: "EventsLate", Letters: "events",
	}
	if !r.has("feedrank_events_insert_seconds") {
		return h.absent("events-consumer")
	}
	lag, _ := r.most("feedrank_events_lag_seconds")
	h.consumer(r, "feedrank_events_", max(0, lag))
	if p95, ok := r.quantile(0.95, "feedrank_events_produce_to_applied_seconds"); ok {
		h.add("sent to applied, P95", "≤ %s", Seconds(p95))
	}
	if n := r.sum("feedrank_events_partition_stopped"); n > 0 {
		h.worsen(Failed, fmt.Sprintf("%.0f partitions wait for an operator; the log says for what", n))
		h.Runbook = "EventsStopped"
	}
	if n := r.grown("feedrank_events_uncertain_total"); n > 0 {
		h.worsen(Late, "ClickHouse did not answer inserts in time; what became of them is looked up")
	}
	return h
}

// consumer adds what both consumers have.
func (h *Hop) consumer(r reading, prefix string, lag float64) {
	h.add("records", "%s", Rate(r.rate(prefix+"records_total")))
	h.add("behind", "%s", Seconds(lag))
	h.add("waiting", "%s", count(r.sum(prefix+"lag_records")))
	h.add("dead letters", "%s", count(r.sum(prefix+"dead_letters_total")))
	if lag > lateSeconds {
		h.worsen(Late, "the oldest record that waits is "+Seconds(lag)+" old")
	}
	if n := r.grown(prefix + "dead_letters_total"); n > 0 {
		h.worsen(Late, fmt.Sprintf("%.0f records could not be applied and are dead letters", n))
	}
}

// hotSet is how recent posts come into this replica's memory.
func hotSet(r reading) Hop {
	h := Hop{
		ID: "hot", Name: "ClickHouse → Hot set", Does: "recent posts with their engagement, in memory",
		From: "clickhouse", To: "hot", State: Well, Runbook: "HotSetOld",
	}
	if !r.has("feedrank_feed_hot_posts") {
		return h.absent("api")
	}
	age, _ := r.most("feedrank_feed_hot_engagement_age_seconds")
	h.add("refreshes", "%s", Rate(r.rate("feedrank_feed_hot_step_seconds")))
	h.add("behind", "%s", Seconds(age))
	h.add("posts", "%s", count(r.sum("feedrank_feed_hot_posts")))
	h.add("memory", "%s", bytes(r.sum("feedrank_feed_hot_bytes")))
	switch {
	case age < 0:
		h.worsen(Failed, "it was never loaded; pages are made from ClickHouse, or from what is cached")
	case age > oldHotSet:
		h.worsen(Failed, "likes and comments are "+Seconds(age)+" old in every page")
	}
	if n := r.grown("feedrank_feed_hot_failures_total"); n > 0 {
		h.worsen(Late, fmt.Sprintf("%.0f steps failed in the last seconds", n))
	}
	if n := r.grown("feedrank_feed_hot_evicted_total"); n > 0 {
		h.worsen(Late, "there are more recent posts than feed.hot.max_posts; the oldest are dropped")
		h.Runbook = "HotSetFull"
	}
	return h
}

// cache is what is kept of each viewer.
func cache(r reading) Hop {
	h := Hop{
		ID: "cache", Name: "Hot set → Cache", Does: "a ranked reserve for each viewer, in Redis", From: "hot",
		To: "redis", State: Well, Runbook: "FeedDegraded",
	}
	if !r.has("feedrank_feed_hot_posts") {
		return h.absent("api")
	}
	of := func(result string) float64 { return r.grown("feedrank_feed_cache_total", label{"result", result}) }
	found := of("hit")
	h.add("saved", "%s", Rate(r.rate("feedrank_feed_cache_saves_total")))
	if all := found + of("miss"); all > 0 {
		h.add("hits", "%.0f %%", 100*found/all)
	} else {
		h.add("hits", "–")
	}
	failing := r.rate("feedrank_feed_redis_failures_total")
	h.add("Redis failures", "%s", Rate(failing))
	if failing > 0 {
		h.worsen(Failed, "Redis is asked in vain; pages are made from this replica's memory, or anew")
	}
	return h
}

// feed is what people get.
func feed(r reading) Hop {
	h := Hop{
		ID: "feed", Name: "Cache → Feed", Does: "GET /api/v1/feed", From: "redis", To: "feed", State: Well,
		Runbook: "FeedErrors",
	}
	if !r.has("feedrank_feed_hot_posts") {
		return h.absent("api")
	}
	route := label{"route", "/api/v1/feed"}
	h.add("pages", "%s", Rate(r.rate("feedrank_feed_requests_total")))
	if p95, ok := r.quantile(0.95, "feedrank_http_request_seconds", route); ok {
		h.add("P95", "≤ %s", Seconds(p95))
	}
	if all := r.grown("feedrank_feed_requests_total"); all > 0 {
		degraded := 0.0
		for _, from := range []string{"stale", "postgres", "trending"} {
			degraded += r.grown("feedrank_feed_requests_total", label{"served_from", from}, label{"algo", "ranked"})
		}
		h.add("degraded", "%.0f %%", 100*degraded/all)
		if degraded > 0.05*all {
			h.worsen(Late, "pages come from a fallback: stale, from PostgreSQL, or trending")
			h.Runbook = "FeedDegraded"
		}
	}
	failing := r.rate("feedrank_http_request_seconds", route, label{"status", "5xx"})
	h.add("5xx", "%s", Rate(failing))
	if failing > 0 {
		h.worsen(Failed, "requests get a 5xx")
	}
	return h
}
