#!/usr/bin/env bash
# Makes the distribution: dist/ash, dist/ash-server and dist/ash-bridge, each one file that needs no .NET on the machine.
# The Claude Code CLI is not part of it: eng/install-claude.sh installs it where Ash runs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begun=$(now_ms)
bash eng/publish.sh bridge cli

fresh=artifacts/dist
# Its own intermediate folder: the development build of the server, with other options, would be compiled anew after it.
options=(-p:SelfContained=true -p:PublishReadyToRun=true -p:PublishSingleFile=true
    -p:IncludeNativeLibrariesForSelfExtract=false -p:DebugType=embedded -p:GenerateDocumentationFile=false)

rm -rf "$fresh"
mkdir -p "$fresh" dist
dotnet restore src/Ash.Server -v q --nologo "${options[@]}"
dotnet publish src/Ash.Server -c Release -r linux-x64 --no-restore -v q --nologo -o "$fresh" "${options[@]}"
ls -la "$fresh"
