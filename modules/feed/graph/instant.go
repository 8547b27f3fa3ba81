package graph

// Instant is the SQL expression for the moment that a column of the app says: unit is what a number in it counts, zone
// of which times without a zone are.
func Instant(column, unit, zone string) string {
	instant, _ := PostTable{TimeUnit: unit, Zone: zone}.instant(column)
	return instant
}
