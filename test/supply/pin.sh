#!/usr/bin/env bash
# Writes beside the tag of every image of Dockerfile and config/compose.yaml the digest that it has now, or says with
# --check which have none. A tag may be moved to another image; a digest cannot. Needs docker with buildx.
set -euo pipefail
cd "${ROOT:-$(dirname "$0")/../..}"
files=(Dockerfile config/compose.yaml)

# images are the names after FROM and image:, but for scratch and what is built here.
images() { sed -nE 's/^FROM ([^ ]+).*/\1/p; s/^ *image: *([^ ]+).*/\1/p' "${files[@]}" | grep -vE '^(scratch|feedrank(:.*)?)$' | sort -u; }

if [ "${1:-}" = --check ]; then
  if unpinned=$(images | grep -v '@sha256:'); then
    printf 'no digest:\n%s\nrun %s where docker is\n' "$unpinned" "$0" >&2
    exit 1
  fi
  exit 0
fi
for image in $(images); do
  tag=${image%@*}
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$tag")
  case $digest in sha256:????????????????????????????????????????????????????????????????) ;; *)
    echo "$tag: docker tells no digest: $digest" >&2
    exit 1
    ;;
  esac
  sed -i -E "s#(^FROM |^ *image: *)${image//./\\.}( |\$)#\1$tag@$digest\2#" "${files[@]}"
  echo "$tag@$digest"
done
