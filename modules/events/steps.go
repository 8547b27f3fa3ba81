package events

// Step is a moment in the life of a partition at which a process may die. The table of cases in
// README.md names them, and tests stop at each.
type Step string

// The steps, in their order. Those of taking a partition come again after an uncertain outcome.
const (
	StepTake         Step = "acquire"         // about to claim the next fence
	StepClaimed      Step = "claimed"         // holds the fence
	StepSettled      Step = "in-flight-ended" // no older statement runs any more
	StepLookedUp     Step = "position-loaded" // knows the position and the offsets present
	StepReconciled   Step = "reconciled"      // the views agree with the raw table
	StepFilled       Step = "filled"          // the filter knows all ids
	StepSealed       Step = "sealed"          // a batch is full, nothing of it is written
	StepDeadLettered Step = "dead-lettered"   // its dead letters are safe
	StepInserting    Step = "inserting"       // about to insert the rows
	StepInserted     Step = "inserted"        // they are in, the range is not written
	StepRanged       Step = "range-written"   // the range is written, the offset is not committed
	StepCommitted    Step = "committed"       // all done
)

// Steps observes a partition at its steps. It may block, which stops the partition there.
type Steps interface {
	At(step Step, partition int32)
}

type noSteps struct{}

func (noSteps) At(Step, int32) {}
