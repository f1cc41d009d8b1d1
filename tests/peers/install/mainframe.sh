#!/usr/bin/env bash
# A mainframe: GnuCOBOL, our inquiry program and the host that serves it, compiled into target/peers/mainframe.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_install gnucobol3 gcc libc6-dev

source_dir=$root/tests/peers/mainframe
out=$peers/mainframe
stamp=$(cat "$source_dir"/* "${BASH_SOURCE[0]}" | sha256sum)
[[ -f $out/stamp && $(<"$out/stamp") == "$stamp" ]] && exit 0
rm -rf "$out" && mkdir -p "$out"

# The door's code page as COBOL literals: all 256 bytes of EBCDIC 297 and what they are in Latin-1. 1147 is 297 with the
# euro for the currency sign; no test sends either.
all_bytes() { printf '%b' "$(printf '\\x%02x' {0..255})"; }
literals() { od -An -tx1 -v -w16 | tr -d ' ' | tr a-f A-F | sed "s/.*/           05  FILLER PIC X(16) VALUE\n             X'&'./"; }
{
    echo "       01  TEXT-THERE."
    all_bytes | literals
    echo "       01  TEXT-HERE."
    all_bytes | iconv -f IBM297 -t ISO-8859-1 | literals
} >"$out/BKCODE.cpy"

cd "$out"
cobc -std=ibm -fsign=EBCDIC -m -I "$source_dir" "$source_dir/BKBOOK.cob"
# The door handles binary fields with their full range, whatever their picture says.
cobc -std=ibm -fsign=EBCDIC -fnotrunc -m -I "$source_dir" -I "$out" "$source_dir/BKINQ.cob"
# shellcheck disable=SC2046 # flags are words
gcc -O2 -Wall -Wextra $(cob-config --cflags) "$source_dir"/*.c -o host $(cob-config --libs)
echo "$stamp" >stamp
