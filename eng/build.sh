#!/usr/bin/env bash
# Restores and compiles the solution (Release, warnings are errors) and publishes the programs for tests and demo.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begun=$(now_ms)
say "building the solution ..."
dotnet restore Ash.slnx -v q --nologo
dotnet build Ash.slnx -c Release --no-restore -v q --nologo
bash eng/publish.sh all stand-in
say "built in $(elapsed "$begun")"
