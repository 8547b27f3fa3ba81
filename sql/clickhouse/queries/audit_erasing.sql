-- How many people are being erased, or were begun to be? Until that is done the views may count what the
-- raw table no longer has.
SELECT count() AS n FROM erasures FINAL WHERE finished_at = toDateTime64(0, 3)
