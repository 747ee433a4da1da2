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
if [ -n "$packages" ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The benchmarks need:$(printf ' %s' $packages). Install what is missing (Debian: sudo apt-get install $packages) and run again." >&2
    exit 1
  fi
  echo "Installing for the benchmarks, by apt-get:$(printf ' %s' $packages)"
  export DEBIAN_FRONTEND=noninteractive
  # The benchmarks start servers of their own: without this, each package would start one as well.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi

if [ "$(.cache/bin/opa version 2>/dev/null | sed -n 's/^Version: /v/p')" != "$OPA_VERSION" ]; then
  command -v go >/dev/null 2>&1 || {
    echo 'Go is missing: install Go 1.26 or later to build OPA, which the benchmarks compare with.' >&2
    exit 1
  }
  echo "Building OPA $OPA_VERSION from its Go module (a few minutes)"
  GOBIN="$PWD/.cache/bin" go install "github.com/open-policy-agent/opa@$OPA_VERSION"
fi
