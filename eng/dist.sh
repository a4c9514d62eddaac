#!/usr/bin/env bash
# Makes the distribution, programs that need no .NET on the machine: dist/ash, dist/ash-server (with SQLite's library beside
# it) and dist/ash-bridge. Keep them in one folder: ash finds the server there, and the server the bridge and the library.
# The Claude Code CLI is not part of it: eng/install-claude.sh installs it where Ash runs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begun=$(now_ms)
bash eng/setup.sh
bash eng/publish.sh bridge cli
say "building ash-server for the distribution ..."

# The server's options are in a publish profile: as global properties they would change the libraries' lock files.
published=artifacts/publish/.dist-server
rm -rf "$published"
dotnet restore src/Ash.Server -v q --nologo -p:PublishProfile=dist
dotnet publish src/Ash.Server -c Release --no-restore -v q --nologo -p:PublishProfile=dist -o "$published"

rm -rf dist
mkdir dist
install -m 0755 artifacts/publish/ash/ash artifacts/publish/ash-bridge/ash-bridge "$published/ash-server" dist/
install -m 0644 "$published"/*.so dist/
rm -rf "$published"
say "made in $(elapsed "$begun"):"
du -h dist/*
