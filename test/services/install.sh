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

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need:$(printf ' %s' $packages). Install what is missing (Debian: sudo apt-get install $packages) and run again." >&2
  exit 1
fi

echo "Installing for the tests, by apt-get:$(printf ' %s' $packages)"
export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own: without this, each package would start one as well.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages >/dev/null

has_postgres && has_redis || {
  echo "apt-get has run, but initdb or redis-server is still missing. Look at its output: apt-get install $packages" >&2
  exit 1
}
