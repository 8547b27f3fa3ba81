#!/bin/sh
# What feedrank may do in Kafka: run it where the brokers' tools are, with kafka.topic_prefix empty (else put the
# prefix before the names). A test holds the program to these lines.
#
#   BOOTSTRAP=broker:9092 config/grants/kafka.sh
set -eu
allow() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --add --allow-principal "$@"; }

# The program: writes and reads the events, the changes and their dead letters, in groups of its own.
allow User:feedrank --operation Read --operation Write --operation Describe --topic events --resource-pattern-type prefixed
allow User:feedrank --operation Read --operation Write --operation Describe --topic cdc. --resource-pattern-type prefixed
allow User:feedrank --operation Read --operation Describe --group feedrank --resource-pattern-type prefixed
allow User:feedrank --operation Read --operation Describe --group cdc-consumer --resource-pattern-type literal

# `feedrank migrate` makes the topics.
allow User:feedrank-migrate --operation Create --operation Describe --operation DescribeConfigs --topic events --resource-pattern-type prefixed
allow User:feedrank-migrate --operation Create --operation Describe --operation DescribeConfigs --topic cdc. --resource-pattern-type prefixed
