#!/usr/bin/env bash
# Prints, for .env, each image of docker-compose.yaml as its tag and the digest that the tag has today (make digests).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
grep -oE '\$\{[A-Z]+_IMAGE:-[^}]+' docker-compose.yaml | sort -u | while IFS= read -r found; do
  name=${found#*\{} image=${found#*:-}
  digest=$(docker buildx imagetools inspect "$image" --format '{{println .Manifest.Digest}}' </dev/null)
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "docker gave no digest of $image: $digest" >&2; exit 1; }
  echo "${name%%:-*}=$image@$digest"
done
