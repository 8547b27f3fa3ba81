package main

import (
	"crypto/md5" //nolint:gosec // it makes UUIDs of numbers
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// naming is how the app calls users and posts, which the stream numbers: by these numbers, or by UUIDs. It knows by
// which numbers those stand in ClickHouse, and shares nothing with the program either.
type naming struct {
	users, posts   []string // by number; nil: the numbers are the keys
	ofUser, ofPost map[int64]int64
}

// uuids names so many of each by UUIDs.
func uuids(users, posts int) naming {
	n := naming{ofUser: map[int64]int64{}, ofPost: map[int64]int64{}}
	for i := range int64(users + 1) {
		n.users = append(n.users, uuid("user", i))
		n.ofUser[stored(n.users[i])] = i
	}
	for i := range int64(posts + 1) {
		n.posts = append(n.posts, uuid("post", i))
		n.ofPost[stored(n.posts[i])] = i
	}
	return n
}

func uuid(kind string, n int64) string {
	sum := md5.Sum(strconv.AppendInt([]byte(kind), n, 10)) //nolint:gosec // see above
	b := hex.AppendEncode(nil, sum[:4])
	for _, part := range [][]byte{sum[4:6], sum[6:8], sum[8:10], sum[10:]} {
		b = hex.AppendEncode(append(b, '-'), part)
	}
	return string(b)
}

// stored is the number by which a text stands in ClickHouse: the first eight bytes of its SHA-256, of which the second
// bit is what the first is not.
func stored(text string) int64 {
	sum := sha256.Sum256([]byte(text))
	n := binary.BigEndian.Uint64(sum[:8])
	if n>>63 == 1 {
		return int64(n &^ (1 << 62))
	}
	return int64(n | 1<<62)
}

// user and post are the keys of numbers.
func (n naming) user(i int64) string { return named(n.users, i) }
func (n naming) post(i int64) string { return named(n.posts, i) }

func named(texts []string, i int64) string {
	if texts == nil {
		return strconv.FormatInt(i, 10)
	}
	return texts[i]
}

// storedPost and storedUser are the numbers in ClickHouse.
func (n naming) storedUser(i int64) int64 { return storedOf(n.users, i) }
func (n naming) storedPost(i int64) int64 { return storedOf(n.posts, i) }

func storedOf(texts []string, i int64) int64 {
	if texts == nil {
		return i
	}
	return stored(texts[i])
}

// userOf and postOf tell of numbers in ClickHouse who they are; of what is none they are what ClickHouse has.
func (n naming) userOf(number int64) int64 { return numbered(n.ofUser, number) }
func (n naming) postOf(number int64) int64 { return numbered(n.ofPost, number) }

func numbered(all map[int64]int64, number int64) int64 {
	if i, ok := all[number]; ok {
		return i
	}
	return number
}
