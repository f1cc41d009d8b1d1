#!/usr/bin/env bash
# Two WebDAV servers that have nothing in common: wsgidav (Python) in target/peers/webdav, and Apache's mod_dav.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_install apache2-bin media-types
venv webdav wsgidav==4.4.0 cheroot==11.1.2
