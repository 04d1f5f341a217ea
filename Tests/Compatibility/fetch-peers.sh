#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks (does not install) the programs that Narthex is compared with, from Debian's newest packages,
# into PEERS_DIR (default ~/.cache/peers). Nothing happens where they are there already.
set -euo pipefail

folder=${PEERS_DIR:-$HOME/.cache/peers}
[[ -e $folder/.complete ]] && exit 0

mirror=$( (cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null || true) |
    awk '/security/ { next } /^URIs:/ { found = $2 } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\//) found = $i }
        found && !done { print found; done = 1 }')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial} "$folder"/{bin,root}
echo "deb $mirror sid main" > "$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
cd "$work"
"${apt[@]}" download prometheus promtool prometheus-node-exporter prometheus-pushgateway victoria-metrics
for package in ./*.deb; do dpkg -x "$package" "$folder/root"; done
ln -sf "$folder"/root/usr/bin/* "$folder/bin/"
touch "$folder/.complete"
