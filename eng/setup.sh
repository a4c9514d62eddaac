#!/usr/bin/env bash
# Installs what the build and the sandbox need and this machine lacks. Says first what it will install; when nothing is
# missing it changes nothing and takes well under a second.
#   eng/setup.sh [tests]      with tests: also what only tests run
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_linux

has_library() { compgen -G "/usr/lib/*/$1" >/dev/null || compgen -G "/usr/lib*/$1" >/dev/null || compgen -G "/lib/*/$1" >/dev/null; }

# A C compiler alone does not link: crt1.o comes with the C library's development package.
has_linker() { (has clang || has gcc) && has_library crt1.o; }

# One line each: what it is for, the check, the Debian package(s).
missing=()
has bwrap || missing+=(bubblewrap)
has_library libseccomp.so.2 || missing+=(libseccomp2)
has_linker || missing+=(gcc libc6-dev)
has curl || missing+=(curl) # for the commands in the documents
has_library libz.so || missing+=(zlib1g-dev)
has_library libssl.so.3 || missing+=(libssl3)
[[ -s /etc/ssl/certs/ca-certificates.crt || -s /etc/pki/tls/certs/ca-bundle.crt || -n ${SSL_CERT_FILE:-} ]] || missing+=(ca-certificates)

if [[ ${1:-} == tests ]]; then
    has python3 || missing+=(python3) # as the hostile program inside a sandbox
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
fi

# The tests start a Postgres of their own: the package is not to make a cluster and start it (policy-rc.d, createcluster.conf).
without_cluster() {
    local config=/etc/postgresql-common/createcluster.conf as=()
    ((EUID == 0)) || as=(sudo)
    [[ " ${missing[*]} " == *" postgresql "* && ! -e $config ]] || return 0
    "${as[@]}" mkdir -p "${config%/*}"
    echo 'create_main_cluster = false' | "${as[@]}" tee "$config" >/dev/null
}

install_packages() {
    local apt=(apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3) command
    command="apt-get update && apt-get install --no-install-recommends -y ${missing[*]}"

    if ! has apt-get; then
        die "please install: bubblewrap, libseccomp, curl, a C compiler with its C library headers, zlib headers, OpenSSL 3, CA certificates (Debian's names of what is missing: ${missing[*]})."
    fi

    if ((EUID != 0)); then
        has sudo || die "these system packages are missing and need root to install. Run: su -c '$command'"
        # Never wait at a password prompt that nobody sees.
        [[ -t 0 ]] || sudo -n true 2>/dev/null || die "these system packages are missing and need root to install. Run: sudo sh -c '$command'"
        apt=(sudo DEBIAN_FRONTEND=noninteractive "${apt[@]}")
    fi

    say "Installing system packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" -qq update
    # apt's own account of the sizes, before anything is fetched.
    "${apt[@]}" install --no-install-recommends --assume-no "${missing[@]}" 2>/dev/null \
        | grep -E '^(Need to get|After this operation)' || true
    without_cluster
    "${apt[@]}" -qq install --no-install-recommends -y "${missing[@]}" >/dev/null
}

check_dotnet() {
    has dotnet || die "the .NET SDK 10.0.4xx is missing: https://dotnet.microsoft.com/download/dotnet/10.0 (global.json names the version)."

    # In the repository `dotnet --version` obeys global.json, and fails where no installed SDK will do.
    local version
    version=$(dotnet --version 2>/dev/null) \
        || die "no installed .NET SDK fits global.json ($(grep -o '"version": *"[^"]*"' global.json)); there are: $(dotnet --list-sdks | cut -d' ' -f1 | xargs). See https://dotnet.microsoft.com/download/dotnet/10.0."
    say ".NET SDK $version"
}

if ((${#missing[@]})); then
    install_packages
fi
check_dotnet
bash eng/install-claude.sh
say "Claude Code CLI $claude_version ($claude_home/claude)"
say "$(bwrap --version)"
