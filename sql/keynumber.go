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

// KeyNumbers is an expression of ClickHouse for the numbers of the keys of which row_key is made, in their order, as
// core.ParseID gives them. Statements have it as {{key_numbers}}.
const KeyNumbers = `arrayMap(k -> if(toString(k.2) = k.1 AND k.2 != 0 AND abs(k.2) < 4611686018427387904, k.2,
        if(k.3 < 0, bitAnd(k.3, -4611686018427387905), bitOr(k.3, 4611686018427387904))),
    arrayMap(k -> (k, toInt64OrZero(k), reinterpretAsInt64(reverse(substring(SHA256(k), 1, 8)))),
        arrayMap(k -> decodeURLComponent(k), splitByChar(':', row_key))))`
