package partition

// Failpoint is a moment in the life of a partition at which a process may die. The table of cases in
// README.md names them, and tests stop at each.
type Failpoint string

// The failpoints, in their order. Those of acquiring a partition come again after an uncertain outcome.
const (
	AtAcquire        Failpoint = "acquire"         // about to claim the next fence
	AtClaimed        Failpoint = "claimed"         // holds the fence
	AtInFlightEnded  Failpoint = "in-flight-ended" // no older statement runs any more
	AtPositionLoaded Failpoint = "position-loaded" // knows the position and the offsets present
	AtReconciled     Failpoint = "reconciled"      // the views agree with the raw table
	AtFilled         Failpoint = "filled"          // the filter knows all ids
	AtSealed         Failpoint = "sealed"          // a batch is full, nothing of it is written
	AtDeadLettered   Failpoint = "dead-lettered"   // its dead letters are safe
	AtInserting      Failpoint = "inserting"       // about to insert the rows
	AtInserted       Failpoint = "inserted"        // they are in, the range is not written
	AtRangeWritten   Failpoint = "range-written"   // the range is written, the offset is not committed
	AtCommitted      Failpoint = "committed"       // all done
)

// Failpoints observes a partition at its failpoints. It may block, which stops the partition there.
type Failpoints interface {
	Reached(at Failpoint, partition int32)
}

type noFailpoints struct{}

func (noFailpoints) Reached(Failpoint, int32) {}
