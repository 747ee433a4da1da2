#!/bin/sh
# Makes PostgreSQL and Redis available for `make test`: nothing where they are there, apt-get on a Debian root, else a clear error.
set -eu

has_postgres() {
  command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    { command -v pg_config >/dev/null 2>&1 && [ -x "$(pg_config --bindir)/initdb" ]; }
}
has_redis() {
  command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1
}

packages=''
has_postgres || packages='postgresql'
has_redis || packages="$packages redis-server"
[ -n "$packages" ] || exit 0

# shellcheck disable=SC2086
sh "$(dirname "$0")/../../tools/apt-install.sh" 'The tests' $packages

has_postgres && has_redis || {
  echo "apt-get has run, but initdb or redis-server is still missing. Look at its output: apt-get install $packages" >&2
  exit 1
}
