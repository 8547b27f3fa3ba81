// Package embeddedtest gives tests the embedded servers.
//
// One stack serves all tests of a package:
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Kafka)) }
//
//	func TestSomething(t *testing.T) {
//		brokers := embeddedtest.Stack(t).Addresses().Kafka.Brokers
//
// The stack is started by the first test that asks for it. Tests share it, and so
// take a database or a prefix of their own. A test that kills or freezes servers
// takes a stack of its own: Own.
//
// One stack can also serve many packages: when FEEDRANK_TEST_STACK names a file
// that holds what `feedrank embedded --json` printed, that one is used.
package embeddedtest
