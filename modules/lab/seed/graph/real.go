package graph

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed" // the two files
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

//go:embed follows.csv.gz
var followsCSV []byte

//go:embed mutes.csv.gz
var mutesCSV []byte

// Real is the embedded graph. The seed decides only whom each user cares for most: the lists
// themselves do not tell.
func Real(seed uint64) (*Graph, error) {
	follows, err := readEdges(followsCSV)
	if err != nil {
		return nil, fmt.Errorf("graph/follows.csv.gz: %w", err)
	}
	mutes, err := readEdges(mutesCSV)
	if err != nil {
		return nil, fmt.Errorf("graph/mutes.csv.gz: %w", err)
	}
	number := renumber(follows)
	g := &Graph{starts: make([]uint32, len(number)+1), followees: make([]uint32, len(follows))}
	for _, e := range follows {
		g.starts[number[e.From]+1]++
	}
	for i := 1; i < len(g.starts); i++ {
		g.starts[i] += g.starts[i-1]
	}
	next := slices.Clone(g.starts)
	for _, e := range follows {
		from := number[e.From]
		g.followees[next[from]] = number[e.To]
		next[from]++
	}
	followers := g.Followers()
	for u := range uint32(g.Users()) {
		order(random.New(seed, "favourites", uint64(u)), g.Followees(u), followers)
	}
	for _, e := range mutes {
		from, known := number[e.From]
		to, alsoKnown := number[e.To]
		if known && alsoKnown && from != to {
			g.Mutes = append(g.Mutes, Edge{From: from, To: to})
		}
	}
	return g, nil
}

// renumber gives every user of the edges a number from 0, in the order of their ids.
func renumber(edges []Edge) map[uint32]uint32 {
	ids := make([]uint32, 0, 2*len(edges))
	for _, e := range edges {
		ids = append(ids, e.From, e.To)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	number := make(map[uint32]uint32, len(ids))
	for i, id := range ids {
		number[id] = uint32(i)
	}
	return number
}

// order puts a list in a random order in which who has more followers tends to come first: as if each
// place were drawn by the number of followers (Efraimidis and Spirakis, 2006).
func order(rng *rand.Rand, list []uint32, followers []uint32) {
	keys := make(map[uint32]float64, len(list))
	for _, user := range list {
		keys[user] = rng.ExpFloat64() / float64(followers[user])
	}
	slices.SortFunc(list, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
}

var errEdge = errors.New("want two numbers separated by a comma")

// readEdges reads a compressed CSV file of two columns with a header.
func readEdges(compressed []byte) ([]Edge, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	var edges []Edge
	lines := bufio.NewScanner(z)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			continue
		}
		a, b, found := strings.Cut(lines.Text(), ",")
		from, errFrom := strconv.ParseUint(a, 10, 32)
		to, errTo := strconv.ParseUint(b, 10, 32)
		if !found || errFrom != nil || errTo != nil {
			return nil, fmt.Errorf("line %d: %w", n, errEdge)
		}
		edges = append(edges, Edge{From: uint32(from), To: uint32(to)})
	}
	return edges, lines.Err()
}
