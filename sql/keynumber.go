package sql

// KeyNumber is an expression of PostgreSQL for the number of a key that is text, as core.ParseID gives it.
func KeyNumber(key string) string {
	return "(CASE WHEN " + key + " ~ '^-?[1-9][0-9]{0,17}$' OR (" + key + " ~ '^-?[1-9][0-9]{18}$' AND ltrim(" + key +
		", '-') COLLATE \"C\" < '4611686018427387904') THEN " + key + "::bigint ELSE " + DerivedNumber(key) + " END)"
}

// DerivedNumber is KeyNumber of a key that is no integer, such as a UUID.
func DerivedNumber(key string) string {
	hash := "('x' || encode(substr(sha256(convert_to(" + key + ", 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint"
	// the second bit is what the sign is not
	return "((" + hash + " & -4611686018427387905) | ((~(" + hash + ") >> 1) & 4611686018427387904))"
}
