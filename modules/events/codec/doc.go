// Package codec is the event in each of its forms: as clients send it, as a record of Kafka, and between. What is
// accepted is decided here, alike for requests and for records. A record is decided by itself and its Kafka timestamp
// alone, so that a repeat is decided alike, whenever and by whomever.
package codec
