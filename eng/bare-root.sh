#!/usr/bin/env bash
# Runs a command on a fresh clone in a bare Debian 12: nothing but a minimal system, git, make, the .NET SDK and Node.
# It shows that set-up installs all the rest. Needs root, debootstrap and the network; takes a few minutes.
#   eng/bare-root.sh [--keep] [--dir DIR] [COMMAND...]      COMMAND defaults to: make demo
# The clone is of HEAD: commit first. --keep leaves the root for another look. DIR is made where it is missing, used again where
# it is not, and never removed: it is the caller's.
#
# A plain chroot will not do: the kernel refuses user namespaces there, so sandboxes could not start. The root is entered
# by pivot_root in mount and pid namespaces of its own; the host sees none of its mounts, and all of it ends with it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_linux
((EUID == 0)) || die "eng/bare-root.sh needs root."
has debootstrap || die "debootstrap is missing: apt-get install debootstrap"

suite=bookworm keep='' bare=''
while (($# > 0)); do
    case $1 in
        --keep) keep=1 ;;
        --dir) bare=$2 && shift ;;
        --) shift && break ;;
        -*) die "eng/bare-root.sh knows --keep and --dir, not '$1'" ;;
        *) break ;;
    esac
    shift
done
command=("$@")
((${#command[@]})) || command=(make demo)
if [[ -n $bare ]]; then
    keep=1
    mkdir -p "$bare"
else
    bare=$(mktemp -d /var/tmp/ash-bare-XXXXXX)
fi
bare=$(cd -P "$bare" && pwd)

inside=''
clean_up() {
    # The first process in there: with it ends all that runs there, and then the unshare that waits for it.
    if [[ -n $inside ]]; then
        pkill -KILL -P "$inside" 2>/dev/null || kill -KILL "$inside" 2>/dev/null || true
        wait "$inside" 2>/dev/null || true
    fi
    if [[ -n $keep ]]; then
        say "kept: $bare"
    else
        # Nothing of the host is mounted below it: its mounts were in a namespace that has ended.
        rm -rf --one-file-system "$bare"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The mirror that this machine uses, from either form of apt's sources.
mirror() {
    local found
    found=$(sed -nE 's/^URIs: *([^ ]+debian)\/?$/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+debian)\/? .*/\2/p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
    printf '%s' "${found:-http://deb.debian.org/debian}"
}

# copy PATH...: from this machine to the same place there, where it exists.
copy() {
    local path
    for path in "$@"; do
        [[ -e $path ]] || continue
        mkdir -p "$bare$(dirname "$path")"
        cp -a --reflink=auto "$path" "$bare$(dirname "$path")/"
    done
}

make_system() {
    step "Debian $suite (minbase, git, make) from $(mirror)"
    debootstrap --variant=minbase --include=git,make "$suite" "$bare" "$(mirror)" >"$bare.log" 2>&1 \
        || { tail -n 20 "$bare.log" >&2; die "debootstrap failed"; }
    rm -f "$bare.log"

    step "The .NET SDK and Node"
    local dotnet node npm
    dotnet=$(readlink -f "$(command -v dotnet)")
    node=$(readlink -f "$(command -v node)")
    npm=$(readlink -f "$(command -v npm)")
    copy "$(dirname "$dotnet")" "$node" "$(dirname "$(dirname "$npm")")"
    ln -sf "$dotnet" "$bare/usr/local/bin/dotnet"
    ln -sf "$npm" "$bare/usr/local/bin/npm"
    [[ $node == /usr/bin/node || $node == /usr/local/bin/node ]] || ln -sf "$node" "$bare/usr/local/bin/node"

    # How this machine reaches the registries: the clients' own configuration and the certificates that they trust.
    copy /etc/resolv.conf /etc/apt/apt.conf.d /etc/npmrc /usr/etc/npmrc /etc/ssl/certs/ca-certificates.crt \
        ~/.npmrc ~/.nuget/NuGet/NuGet.Config
    cp /etc/hosts "$bare/etc/hosts"
    # Hooks of packages that are not there.
    rm -f "$bare"/etc/apt/apt.conf.d/{20packagekit,50appstream,70debconf}
}

# Leaves of the environment what a bare machine has, and the variables by which the clients find proxies and certificates.
# Exported, never named on a command line: keys and proxies' passwords are among them, and everybody may read arguments.
leave_only_clients_environment() {
    local name
    for name in $(compgen -e); do
        case $name in
            NUGET_CERT_REVOCATION_MODE | SSL_CERT_FILE | NODE_EXTRA_CA_CERTS | GIT_SSL_CAINFO | CURL_CA_BUNDLE) ;;
            http_proxy | https_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY | ANTHROPIC_API_KEY | TERM) ;;
            *) unset -v "$name" 2>/dev/null || export -n "$name" ;;
        esac
    done
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}"
}

# What runs inside the namespaces, still on the host's files, before and after the root is changed.
enter() {
    cat <<'INNER'
set -euo pipefail
bare=$1
shift
mount --bind "$bare" "$bare"
cd "$bare"

mount -t proc proc proc
mount -t tmpfs -o mode=0755,nosuid tmpfs dev
for node in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    mknod -m 0666 "dev/${node% *}" c 1 "${node#* }"
done
mknod -m 0666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount --bind /sys sys
mount -o remount,bind,ro sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup

mkdir -p .old-root
pivot_root . .old-root
cd /
umount -l /.old-root
rmdir /.old-root
exec "$@"
INNER
}

[[ -x $bare/usr/bin/make && -e $bare/usr/local/bin/dotnet ]] || make_system

step "A clone of HEAD ($(git rev-parse --short HEAD))"
rm -rf "$bare/root/ash"
git clone -q --no-hardlinks "file://$root" "$bare/root/ash"

step "${command[*]}"

# As pid 1 there, bash collects the processes that nobody else waits for; most programs would not.
init='cd /root/ash; "$@" </dev/null & wait "$!"'

begun=$(now_ms) code=0
# In the background, so that a signal is answered at once. --kill-child: should this script be killed, all inside ends too.
(
    leave_only_clients_environment
    exec unshare --mount --pid --fork --kill-child --propagation private \
        bash -s -- "$bare" bash -c "$init" bash "${command[@]}"
) < <(enter) &
inside=$!
wait "$inside" || code=$?
inside=''
step "exit code $code after $(elapsed "$begun")"
exit "$code"
