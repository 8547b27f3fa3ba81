package rank

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
type Diversifier struct {
	rules  Diversity
	next   []int32 // the remaining posts, linked in rank order
	recent []int32 // the last MaxAuthor places of each author, as a ring
	count  []int32 // how many posts of each author are placed
	relax  []uint8 // how far the rules gave way for each place
}

// NewDiversifier makes one for a set of rules.
func NewDiversifier(rules Diversity) *Diversifier { return &Diversifier{rules: rules} }

// Rules are what it was made for.
func (d *Diversifier) Rules() Diversity { return d.rules }

// Order appends to dst the indexes of the posts in their new order. authors[i] is the author of the
// i-th best post, numbered from 0 to authorCount−1.
func (d *Diversifier) Order(dst []int32, authors []int32, authorCount int) []int32 {
	d.reset(len(authors), authorCount)
	head := len(authors) // next[head] is the first that remains
	for place := range authors {
		before, chosen, level := d.choose(authors, head, place)
		d.next[before] = d.next[chosen]
		d.place(authors[chosen], place)
		d.relax = append(d.relax, level)
		dst = append(dst, chosen)
	}
	return dst
}

// Relaxed tells how far the rules gave way for each place of the last Order: 0 not at all, 1 the
// window, 2 the top, 3 and more the gap.
func (d *Diversifier) Relaxed() []uint8 { return d.relax }

// choose finds the remaining post with the lowest level of relaxation, the best ranked among equals.
func (d *Diversifier) choose(authors []int32, head, place int) (before int, chosen int32, level uint8) {
	level = 255
	at := head
	for i := d.next[head]; i >= 0; i = d.next[i] {
		if l := d.level(authors[i], place); l < level {
			before, chosen, level = at, i, l
			if l == 0 {
				break
			}
		}
		at = int(i)
	}
	return before, chosen, level
}

// level is how far the rules would have to give way for the author to stand at a place.
func (d *Diversifier) level(author int32, place int) uint8 {
	placed := int(d.count[author])
	if placed == 0 {
		return 0
	}
	ring := d.recent[int(author)*d.rules.MaxAuthor : (int(author)+1)*d.rules.MaxAuthor]
	between := place - int(ring[(placed-1)%len(ring)]) - 1
	switch {
	case between < d.rules.Gap:
		return uint8(2 + d.rules.Gap - between) //nolint:gosec // the gap is at most 50
	case place < d.rules.Top:
		return 2
	case placed >= len(ring) && place-int(ring[placed%len(ring)]) < d.rules.Window:
		return 1
	default:
		return 0
	}
}

func (d *Diversifier) place(author int32, place int) {
	placed := int(d.count[author])
	d.recent[int(author)*d.rules.MaxAuthor+placed%d.rules.MaxAuthor] = int32(place) //nolint:gosec // a list has hundreds of places
	d.count[author]++
}

func (d *Diversifier) reset(posts, authors int) {
	d.next = resized(d.next, posts+1)
	for i := range posts {
		d.next[i] = int32(i + 1)
	}
	if posts > 0 {
		d.next[posts-1], d.next[posts] = -1, 0
	}
	d.recent = resized(d.recent, authors*d.rules.MaxAuthor)
	d.count = resized(d.count, authors)
	clear(d.count)
	d.relax = d.relax[:0]
}

func resized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n, n+n/2)
	}
	return s[:n]
}
