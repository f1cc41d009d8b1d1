#!/usr/bin/env bash
# Tryton in two versions that differ on the wire: Debian's 6.0, and 8.2 in target/peers/tryton. Of each a database with the module party is made
# once, in target/peers/tryton-*; a test copies it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_install tryton-server tryton-modules-party
venv tryton trytond==8.2.1 trytond-party==8.2.0

# database NAME FOLDER-OF-PROGRAMS VERSION
database() {
    local dir=$peers/tryton-$1
    [[ -f $dir/stamp && $(<"$dir/stamp") == "$3" ]] && return
    rm -rf "$dir" && mkdir -p "$dir"
    sed -e "s|FOLDER|$dir|" -e "s|ADDRESS|127.0.0.1:0|" "$root/tests/peers/tryton/trytond.conf" >"$dir/trytond.conf"
    touch "$dir/crm.sqlite"
    echo secret >"$dir/password"
    TRYTONPASSFILE=$dir/password "$2/trytond-admin" -c "$dir/trytond.conf" -d crm --email crm@bank.example -u party --activate-dependencies
    echo "$3" >"$dir/stamp"
}
database 6.0 /usr/bin "$(dpkg-query -W -f '${Version}' tryton-server)"
database 8.2 "$peers/tryton/bin" 8.2.1
