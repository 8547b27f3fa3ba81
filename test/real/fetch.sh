#!/usr/bin/env bash
# Fetches what the real stack runs, once: the Java parts that pom.xml lists, into .work/jars, and
# Debian's PostgreSQL, Redis, PgBouncer and Prometheus where they are missing.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
	echo "real stack: $*" >&2
	exit 1
}

# Where Debian puts the servers; an operator's PATH does not always say. server.go looks there too.
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
has_redis() { PATH="$PATH:/usr/bin:/usr/local/bin" command -v redis-server >/dev/null; }

has_pgbouncer() { PATH="$PATH:/usr/sbin" command -v pgbouncer >/dev/null; }
has_prometheus() { command -v prometheus >/dev/null && command -v promtool >/dev/null; }

command -v java >/dev/null || fail "Kafka and Debezium need Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"

# The stamp holds pom.xml's checksum, so that a changed version is fetched anew.
stamp=$(sha256sum pom.xml | cut -d' ' -f1)
if [ "$(cat .work/jars.stamp 2>/dev/null)" != "$stamp" ]; then
	command -v mvn >/dev/null || fail "fetching Kafka and Debezium needs Maven (Debian: apt-get install maven)"
	rm -rf .work/jars .work/jars.part
	mvn -q -B dependency:copy-dependencies -DoutputDirectory="$PWD/.work/jars.part"
	mv .work/jars.part .work/jars
	echo "$stamp" >.work/jars.stamp
fi

missing=()
has_postgres || missing+=(postgresql)
has_redis || missing+=(redis-server)
has_pgbouncer || missing+=(pgbouncer)
has_prometheus || missing+=(prometheus)
if [ ${#missing[@]} -gt 0 ]; then
	command -v apt-get >/dev/null || fail "install PostgreSQL 15 or newer, Redis 6 or newer, PgBouncer and Prometheus; this system has no apt-get to do it with"
	[ "$(id -u)" = 0 ] || fail "missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
	# Run level 1 keeps Debian from starting the services that it installs.
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
	apt-get -q -y install --no-install-recommends "${missing[@]}" >.work/apt.log 2>&1 ||
		{ apt-get -q update >.work/apt.log 2>&1 && apt-get -q -y install --no-install-recommends "${missing[@]}" >>.work/apt.log 2>&1; } ||
		fail "apt-get install ${missing[*]}: $(tail -3 .work/apt.log)"
fi
