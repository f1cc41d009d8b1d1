#!/usr/bin/env bash
# buf, whose `buf breaking` is the oracle of the compatibility rules.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

venv buf buf-bin==1.75.0
