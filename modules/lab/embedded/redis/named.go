package redis

import (
	"slices"
	"strconv"
)

// named are the keys of a command. Most have one, their first argument.
func named(command string, args []string) []string {
	switch command {
	case "DEL", "UNLINK", "EXISTS", "TOUCH", "MGET", "PFCOUNT", "PFMERGE", "SDIFF", "SDIFFSTORE", "SINTER",
		"SINTERSTORE", "SUNION", "SUNIONSTORE":
		return args
	case "MSET", "MSETNX":
		return everyOther(args)
	case "RENAME", "RENAMENX", "COPY", "SMOVE", "RPOPLPUSH", "LMOVE":
		return args[:min(2, len(args))]
	case "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO":
		return counted(args, 1)
	case "ZUNIONSTORE", "ZINTERSTORE":
		return slices.Concat(args[:min(1, len(args))], counted(args, 1))
	case "ZUNION", "ZINTER", "ZMPOP", "LMPOP", "SINTERCARD":
		return counted(args, 0)
	case "BITOP", "OBJECT", "MEMORY", "XGROUP", "XINFO":
		return args[min(1, len(args)):]
	case "AUTH", "CLIENT", "COMMAND", "DBSIZE", "DISCARD", "ECHO", "EXEC", "FLUSHALL", "FLUSHDB", "HELLO", "INFO",
		"KEYS", "PING",
		"PSUBSCRIBE", "PUBLISH", "PUBSUB", "PUNSUBSCRIBE", "QUIT", "RANDOMKEY", "SCAN", "SCRIPT", "SELECT", "SUBSCRIBE",
		"TIME", "UNSUBSCRIBE", "UNWATCH":
		return nil
	default:
		return args[:min(1, len(args))]
	}
}

// counted are the keys that follow their number, which is at a place.
func counted(args []string, at int) []string {
	if at >= len(args) {
		return nil
	}
	n, err := strconv.Atoi(args[at])
	rest := args[at+1:]
	if err != nil || n < 0 || n > len(rest) {
		return nil // the store tells what is wrong with it
	}
	return rest[:n]
}

func everyOther(args []string) []string {
	keys := make([]string, 0, (len(args)+1)/2)
	for i := 0; i < len(args); i += 2 {
		keys = append(keys, args[i])
	}
	return keys
}
