#!/usr/bin/env bash
# Builds a release: for each platform an archive with the production binary and what one starts with, and beside them a
# list of what each binary is made of and the sums of all. The same commit gives the same bytes, whoever builds it and
# when: paths, times, owners and the order of files are fixed.
#
#   config/release/build.sh VERSION [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:?say which version, such as v1.0.0}
out=${2:-bin/release}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || { echo "$version is no version: want v1.2.3 or v1.2.3-rc.1"; exit 1; }
grep -q "^## ${version#v}" CHANGELOG.md || { echo "CHANGELOG.md has no section \"## ${version#v}\": write what changed first"; exit 1; }
[ -z "$(git status --porcelain)" ] || { echo "commit first: a release is made of a commit"; git status --short; exit 1; }
made=$(git log -1 --format=%ct) # the time of every file

rm -rf "$out"
mkdir -p "$out"
for platform in $platforms; do
	name=feedrank-$version-${platform/\//-}
	folder=$out/$name
	mkdir -p "$folder/config"
	echo "$name"
	CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} GOFLAGS= go build -trimpath -buildvcs=false \
		-tags production,validator_novalidatefn -ldflags "-s -w -buildid= -X main.version=${version#v}" -o "$folder/feedrank" .
	cp LICENSE CHANGELOG.md "$folder/"
	cp -R config/feedrank.yaml config/README.md config/personal-data.md config/grants config/prometheus config/grafana \
		config/systemd "$folder/config/"
	cp sql/postgres/example/schema.sql "$folder/config/example.sql"
	find "$folder" -name '*.go' -delete
	find "$folder" -type d -exec chmod 755 {} +
	find "$folder" -type f -exec chmod 644 {} +
	chmod 755 "$folder/feedrank" "$folder/config/grants/kafka.sh"
	go run "$sbom" bin -json -noserial -notimestamp -version "$version" -output "$out/$name.cdx.json" "$folder/feedrank" 2>/dev/null
	tar --sort=name --mtime="@$made" --owner=0 --group=0 --numeric-owner --format=ustar -C "$out" -cf - "$name" |
		gzip -9n >"$folder.tar.gz"
	rm -r "$folder"
done
(cd "$out" && sha256sum -- * >SHA256SUMS && sha256sum --quiet -c SHA256SUMS)
ls -l "$out"
