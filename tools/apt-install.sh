#!/bin/sh
# Installs packages by apt-get on a Debian root, else says what to install. Starts none of the servers in them.
# Usage: apt-install.sh WHO PACKAGE…    WHO needs them, for the messages: `The tests`
set -eu
who=$1
shift

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "$who need: $*. Install what is missing (Debian: sudo apt-get install $*) and run again." >&2
  exit 1
fi

echo "$who need: $*. Installing by apt-get."
export DEBIAN_FRONTEND=noninteractive
# Who asked starts servers of its own: without this, each package would start one as well.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" >/dev/null
