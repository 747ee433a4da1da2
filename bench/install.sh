#!/bin/sh
# Makes the load generator and the peers available for `make bench`: wrk, nginx and pgbench by apt-get on a Debian root, OPA
# from its Go module. Does nothing where they are there.
set -eu
cd "$(dirname "$0")/.."

OPA_VERSION=v1.22.0

has_pgbench() {
  command -v pgbench >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/pgbench >/dev/null 2>&1
}

packages=''
command -v wrk >/dev/null 2>&1 || packages='wrk'
command -v nginx >/dev/null 2>&1 || packages="$packages nginx"
has_pgbench || packages="$packages postgresql"
# shellcheck disable=SC2086
[ -z "$packages" ] || sh tools/apt-install.sh 'The benchmarks' $packages

if [ "$(.cache/bin/opa version 2>/dev/null | sed -n 's/^Version: /v/p')" != "$OPA_VERSION" ]; then
  command -v go >/dev/null 2>&1 || {
    echo 'Go is missing: install Go 1.26 or later to build OPA, which the benchmarks compare with.' >&2
    exit 1
  }
  echo "Building OPA $OPA_VERSION from its Go module (a few minutes)"
  GOBIN="$PWD/.cache/bin" go install "github.com/open-policy-agent/opa@$OPA_VERSION"
fi
