// Package reads measures what people ask for: cached and computed pages, trending, suggestions, all at once, the
// views they are made of, and the memory of a replica that answers.
package reads
