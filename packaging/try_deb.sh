#!/bin/bash
# Takes a .deb through its whole life: install, start as the unit would, use, stop, upgrade, remove, purge.
#
#   usage   try_deb.sh FILE.deb      as root on a throw-away Debian 12 (container, chroot, virtual machine); needs apt
#   does    without a systemd that runs: starts the installed program by hand, as the unit's user, with its credential
#   exit    0 when every step did what README.md says; else the step that did not is the last line
set -euo pipefail
deb=$(realpath "${1:?usage: try_deb.sh FILE.deb}")
api=http://127.0.0.1:8025
credentials=/run/credentials/penguin-mta.service
export DEBIAN_FRONTEND=noninteractive

step() { echo "== $*"; }
die() { echo "try_deb: $*" >&2; exit 1; }
mode_of() { stat -c '%a %U:%G' "$1"; }

start() {
  install -d -m 0700 -o penguin-mta "$credentials"
  install -m 0400 -o penguin-mta /etc/penguin-mta/master-key "$credentials/master-key"
  setpriv --reuid=penguin-mta --regid=penguin-mta --clear-groups --no-new-privs \
    env CREDENTIALS_DIRECTORY="$credentials" penguin-mta serve --config /etc/penguin-mta/penguin-mta.toml 2>>/tmp/penguin-mta.log &
  daemon=$!
  for _ in $(seq 600); do
    [ "$(curl -s -o /dev/null -w '%{http_code}' $api/readyz)" = 200 ] && return
    kill -0 "$daemon" 2>/dev/null || die "the daemon ended: $(tail -3 /tmp/penguin-mta.log)"
    sleep 0.2
  done
  die "not ready in two minutes: $(tail -3 /tmp/penguin-mta.log)"
}
stop() {
  kill "$daemon"
  wait "$daemon" || die "stopped with $?"
}
tenants() { curl -s -H "Authorization: Bearer $key" "$api/v1/tenants"; }

step install
apt-get update -qq
apt-get install -y -qq "$deb" curl >/tmp/try_deb.log 2>&1 || die "$(tail -5 /tmp/try_deb.log)"
[ "$(mode_of /var/lib/penguin-mta)" = "700 penguin-mta:penguin-mta" ] || die "state directory: $(mode_of /var/lib/penguin-mta)"
[ "$(mode_of /etc/penguin-mta/penguin-mta.toml)" = "640 root:penguin-mta" ] || die "configuration: $(mode_of /etc/penguin-mta/penguin-mta.toml)"
[ "$(mode_of /etc/penguin-mta/master-key)" = "600 root:root" ] || die "master key: $(mode_of /etc/penguin-mta/master-key)"
[ -L /etc/systemd/system/multi-user.target.wants/penguin-mta.service ] || die "the unit is not enabled"

step start and use
start
key=$(penguin-mta admin-key)
curl -sf -o /dev/null -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d '{"name":"kept"}' $api/v1/tenants \
  || die "no tenant could be created"
[ ! -e /var/lib/penguin-mta/master.key ] || die "the credential was not used"
PENGUIN_KEY=$key penguinctl tenants list | grep -q kept || die "penguinctl does not see the tenant"
stop

step upgrade
echo "# mine" >>/etc/penguin-mta/penguin-mta.toml
secret=$(sha256sum </etc/penguin-mta/master-key)
dpkg -i "$deb" >/tmp/try_deb.log 2>&1 || die "$(tail -5 /tmp/try_deb.log)"
[ "$(tail -1 /etc/penguin-mta/penguin-mta.toml)" = "# mine" ] || die "the configuration was overwritten"
[ "$(sha256sum </etc/penguin-mta/master-key)" = "$secret" ] || die "the master key was overwritten"
start
tenants | grep -q kept || die "the tenant is gone"
stop

step remove
dpkg -r penguin-mta >/dev/null
for kept in /var/lib/penguin-mta/postgres/PG_VERSION /etc/penguin-mta/master-key; do [ -e $kept ] || die "removing took $kept"; done

step purge
dpkg -P penguin-mta >/dev/null
for left in /var/lib/penguin-mta /etc/penguin-mta; do [ ! -e $left ] || die "$left is left"; done
! getent passwd penguin-mta >/dev/null || die "the user is left"
step ok
