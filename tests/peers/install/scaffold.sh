#!/usr/bin/env bash
# What an adapter in Python needs, exactly as the sample says it, and what looks at its sources.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mapfile -t requirements <"$root/services/passerelle/scaffold/python/requirements.txt"
venv scaffold "${requirements[@]}" pyflakes==4.1.0 mypy==2.4.1
