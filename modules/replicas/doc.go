// Package replicas is what the processes of a deployment know of each other: who runs, with which version and roles,
// how their breakers are, and what an operator forced for all of them.
//
// It is told through Redis, since every process has it, and nothing of it must last. Each second a process writes its
// card into one hash (replicas:v1), and reads another (breakers:v1) with what is forced. Whoever is not heard of for
// ten seconds is listed as gone, and after a minute no more.
//
// What is forced has a time, and a process applies what is newer than what it applied last: so it may still be forced
// alone, under /admin/v1/breaker, and a process that starts later takes over what holds for all. Where Redis was
// emptied, processes keep what they were told. This package asks Redis past the breakers: what is forced open must be
// released by the same way.
package replicas
