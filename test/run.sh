#!/usr/bin/env bash
# `go test -exec` runs a package's tests by this. Most packages start servers of their own and wait for them half of
# the time: two packages run at once. Those that kill, freeze or flood servers, or that hold answers against limits of
# time, run alone: another's load would be one more fault.
set -euo pipefail
lock=$(cd "$(dirname "$0")" && pwd)
case $PWD/ in
  */test/chaos/* | */test/cdc/* | */test/e2e/abuse/* | */test/faults/* | */test/quality/* | */modules/lab/bench/*) how=-x ;;
  *) how=-s ;;
esac
if [ -d /dev/shm ]; then # what servers write goes to memory: some search long for each new file
  export TMPDIR=/dev/shm
fi
if command -v flock >/dev/null; then
  exec flock "$how" "$lock" "$@"
fi
exec "$@"
