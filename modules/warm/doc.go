// Package warm computes ahead what is cached of users who are likely to come: those who were active
// lately. A job lists them in Redis; the api replicas, who have what it takes to compute, take them
// from there one by one, at a bounded rate, and give way as soon as anything is slow or busy.
package warm
