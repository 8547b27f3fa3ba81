package rank

import "math/bits"

// Diversifier reorders a ranked list for variety of authors. It may be used again, by one goroutine
// at a time; its memory is kept.
//
// At each place it takes the best remaining post that breaks no rule. Where every remaining post
// breaks one, the rules give way in this order, and only for that place:
//
//  1. at most MaxAuthor posts of an author in any Window places,
//  2. an author once in the Top places,
//  3. the Gap between two posts of an author, one place at a time, down to none.
//
// So no post is lost, and a list is never short.
//
// At every place that is kept for who posts seldom it takes the best of theirs that breaks no rule, if there is one.
// Which places are kept depends on the place alone: a list that is cut and goes on keeps the same ones.
//
// Of each author only the best remaining post can be taken. The place from which on it breaks no rule is
// known when the one before it is placed, so it waits for that place, and then is free.
type Diversifier struct {
	rules   Diversity
	before  int     // places before those that are known
	base    int     // places of posts that were given out before
	recent  []int32 // the last MaxAuthor places of each author, as a ring
	count   []int32 // how many posts of each author are placed
	next    []int32 // of each post, the author's next best
	free    ranks   // posts that break no rule
	waiting ranks   // posts that would break one
	due     []int32 // the first of those that become free at a place
	sameDue []int32 // of each post that waits, another that becomes free at the same place
	relax   []uint8 // how far the rules gave way for each place
	quiet   ranks   // posts of who posts seldom
	kept    []bool  // of each place, whether its post stands there because it was kept
}

const nobody = -1

// NewDiversifier makes one for a set of rules.
func NewDiversifier(rules Diversity) *Diversifier { return &Diversifier{rules: rules} }

// Rules are what it was made for.
func (d *Diversifier) Rules() Diversity { return d.rules }

// Order appends to dst the indexes of the posts in their new order. authors[i] is the author of the
// i-th best post, numbered from 0 to authorCount−1.
func (d *Diversifier) Order(dst []int32, authors []int32, authorCount int) []int32 {
	return d.OrderAfter(dst, 0, nil, authors, authorCount)
}

// OrderAfter does the same for a list that goes on: behind before places of which nothing is known any more, and
// those of the authors given, the latest last.
func (d *Diversifier) OrderAfter(dst []int32, before int, given, authors []int32, authorCount int) []int32 {
	d.before, d.base = before, len(given)
	d.reset(authors, authorCount)
	d.goOn(given, authors)
	keeps := d.rules.QuietShare > 0
	for at := range authors {
		place := d.base + at
		d.release(at)
		chosen, level := d.free.first(), uint8(0)
		if keeps {
			best := chosen
			if seldom := d.free.firstIn(d.quiet); seldom != nobody && d.rules.Keeps(d.before+place) {
				chosen = seldom
			}
			d.kept = append(d.kept, chosen != best)
		}
		if chosen == nobody {
			chosen, level = d.leastBroken(authors, place)
			d.waiting.remove(chosen)
		} else {
			d.free.remove(chosen)
		}
		d.place(authors[chosen], place)
		if after := d.next[chosen]; after != nobody {
			d.wait(after, d.freeFrom(authors[chosen]))
		}
		d.relax = append(d.relax, level)
		dst = append(dst, chosen)
	}
	d.quiet.reset(0)
	return dst
}

// goOn has posts wait for a place that is far enough from those of their authors that were given out.
func (d *Diversifier) goOn(given, authors []int32) {
	for place, author := range given {
		d.place(author, place)
	}
	if len(given) == 0 {
		return
	}
	d.free.each(func(post int32) {
		author := authors[post]
		if d.count[author] == 0 {
			return
		}
		if from := d.freeFrom(author); from > d.base {
			d.free.remove(post)
			d.wait(post, from)
		}
	})
}

// Relaxed tells how far the rules gave way for each place of the last Order: 0 not at all, 1 the
// window, 2 the top, 3 and more the gap.
func (d *Diversifier) Relaxed() []uint8 { return d.relax }

// Keeps tells whether a place, from 0, is kept for who posts seldom: of n places so many are as their share says.
func (r Diversity) Keeps(place int) bool {
	const rounding = 1e-9
	share := func(places int) int { return int(float64(places)*r.QuietShare + rounding) }
	return share(place+1) > share(place)
}

// Quiet says which posts of the next list are by who posts seldom.
func (d *Diversifier) Quiet(posts []bool) {
	d.quiet.reset(len(posts))
	for i, seldom := range posts {
		if seldom {
			d.quiet.add(int32(i))
		}
	}
}

// Kept tells of each place of the last Order whether its post stands before a better one, since the place was kept for
// who posts seldom; nil where none are.
func (d *Diversifier) Kept() []bool { return d.kept }

// leastBroken finds the waiting post with the lowest level of relaxation, the best ranked among equals.
func (d *Diversifier) leastBroken(authors []int32, place int) (chosen int32, level uint8) {
	level = 255
	d.waiting.each(func(i int32) {
		if l := d.level(authors[i], place); l < level {
			chosen, level = i, l
		}
	})
	return chosen, level
}

// level is how far the rules would have to give way for an author who has posts in the list already to
// stand at a place.
func (d *Diversifier) level(author int32, place int) uint8 {
	last, oldest := d.places(author)
	between := place - last - 1
	switch {
	case between < d.rules.Gap:
		return uint8(2 + d.rules.Gap - between)
	case d.before+place < d.rules.Top:
		return 2
	case oldest != nobody && place-oldest < d.rules.Window:
		return 1
	default:
		return 0
	}
}

// freeFrom is the first place at which the author breaks no rule: where level is 0.
func (d *Diversifier) freeFrom(author int32) int {
	last, oldest := d.places(author)
	from := max(last+1+d.rules.Gap, d.rules.Top-d.before)
	if oldest != nobody {
		from = max(from, oldest+d.rules.Window)
	}
	return from
}

// places are the author's last place and, where there are that many, the one MaxAuthor posts back.
func (d *Diversifier) places(author int32) (last, oldest int) {
	placed, most := int(d.count[author]), d.rules.MaxAuthor
	ring := d.recent[int(author)*most : (int(author)+1)*most]
	oldest = nobody
	if placed >= most {
		oldest = int(ring[placed%most])
	}
	return int(ring[(placed-1)%most]), oldest
}

func (d *Diversifier) place(author int32, place int) {
	placed := int(d.count[author])
	d.recent[int(author)*d.rules.MaxAuthor+placed%d.rules.MaxAuthor] = int32(place)
	d.count[author]++
}

func (d *Diversifier) wait(post int32, from int) {
	d.waiting.add(post)
	if at := from - d.base; at < len(d.due) { // else the list ends before
		d.sameDue[post], d.due[at] = d.due[at], post
	}
}

// release frees what waited for a place, but for what the rules gave way for before.
func (d *Diversifier) release(at int) {
	for post := d.due[at]; post != nobody; post = d.sameDue[post] {
		if d.waiting.has(post) {
			d.waiting.remove(post)
			d.free.add(post)
		}
	}
}

func (d *Diversifier) reset(authors []int32, authorCount int) {
	d.recent = resized(d.recent, authorCount*d.rules.MaxAuthor)
	d.count = resized(d.count, authorCount)
	d.next, d.due, d.sameDue = resized(d.next, len(authors)), resized(d.due, len(authors)),
		resized(d.sameDue, len(authors))
	d.free.reset(len(authors))
	d.waiting.reset(len(authors))
	d.relax, d.kept = d.relax[:0], d.kept[:0]
	best := d.count // of each author, until their posts are counted
	for author := range best {
		best[author] = nobody
	}
	for i := len(authors) - 1; i >= 0; i-- {
		d.next[i], best[authors[i]] = best[authors[i]], int32(i)
		d.due[i] = nobody
	}
	for _, first := range best {
		if first != nobody {
			d.free.add(first)
		}
	}
	clear(d.count)
}

func resized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n, n+n/2)
	}
	return s[:n]
}

// ranks is a set of posts by their rank, as bits.
type ranks struct{ words []uint64 }

func (r *ranks) reset(n int) {
	words := (n + 63) / 64
	if cap(r.words) < words {
		r.words = make([]uint64, words)
	}
	r.words = r.words[:words]
	clear(r.words)
}

func (r *ranks) add(i int32)      { r.words[i/64] |= 1 << (i % 64) }
func (r *ranks) remove(i int32)   { r.words[i/64] &^= 1 << (i % 64) }
func (r *ranks) has(i int32) bool { return r.words[i/64]&(1<<(i%64)) != 0 }

func (r *ranks) first() int32 {
	for w, word := range r.words {
		if word != 0 {
			return int32(w*64 + bits.TrailingZeros64(word))
		}
	}
	return nobody
}

// firstIn is the first that another set has, too.
func (r *ranks) firstIn(other ranks) int32 {
	for w, word := range other.words {
		if both := word & r.words[w]; both != 0 {
			return int32(w*64 + bits.TrailingZeros64(both))
		}
	}
	return nobody
}

// each goes through the set, the best first.
func (r *ranks) each(do func(int32)) {
	for w, word := range r.words {
		for ; word != 0; word &= word - 1 {
			do(int32(w*64 + bits.TrailingZeros64(word)))
		}
	}
}
