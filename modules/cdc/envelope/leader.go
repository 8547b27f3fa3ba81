package envelope

// Leader is the last leader of the built-in source that wrote to a partition. A leader that was frozen may
// write when it wakes what was true before: its records are known by their lower epoch. Whatever of them
// was not in Kafka when it was replaced, its successor has written, here or later on.
type Leader struct {
	System uint64 // epochs compare within one cluster
	Epoch  uint64
}

// Late tells whether a record is of a leader that was replaced before it was written.
func (l Leader) Late(s Source) bool {
	return s.LeaderEpoch != 0 && s.System == l.System && s.LeaderEpoch < l.Epoch
}

// Advance notes who wrote a record; what tells no leader changes nothing.
func (l *Leader) Advance(s Source) {
	if s.LeaderEpoch != 0 {
		*l = Leader{System: s.System, Epoch: s.LeaderEpoch}
	}
}
