package absent

// Sets are people whose posts not everybody sees. One that is nil has nobody.
type Sets struct {
	Absent   *Set // nobody sees their posts
	Private  *Set // only their followers do
	OptedOut *Set // they are recommended to nobody who does not follow them
}
