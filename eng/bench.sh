#!/usr/bin/env bash
# Sets up, builds and measures; see bench/README.md.      eng/bench.sh [NAME]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "Set-up"
bash eng/setup.sh
step "Build"
bash eng/publish.sh bridge server stand-in
dotnet build bench/Ash.Benchmarks -c Release -v q --nologo
step "Benchmarks"
exec artifacts/bin/Ash.Benchmarks/release/Ash.Benchmarks "${@:-all}"
