// Package bloom tells for sure that a key was not added. It is a blocked Bloom filter: all bits of a key stand in one
// block of 512 bits, which is one cache line. At 16 bits for each key about one in 500 new keys looks like an old one.
//
// Keys come as hashes of 64 good bits. A filter does not grow: whoever adds more than its capacity asks Full, and
// makes another one beside it; or is mistaken oftener, but never denies a key that it was given.
package bloom
