package filters

// All are the filters, in the order in which they are asked; those by author come first. A new one is a file beside
// this, and a line here.
func All() []Filter {
	return []Filter{
		own,
		blocked,
		blockedBy,
		muted,
		authorHidden,
		notVisible,
		datedAhead,
		audience,
		label,
		hidden,
		seen,
		served,
	}
}
