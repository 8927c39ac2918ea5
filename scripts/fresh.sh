#!/usr/bin/env bash
# Try a command of the README on a machine that has nothing: fresh.sh SUITE COMMAND..., for example
# `scripts/fresh.sh bookworm make demo ONCE=1`. Makes a minimal Debian of that suite in a temporary
# folder, copies what HEAD tracks into it, runs the command there and prints how long it took. Root
# only, not in CI. Mirrors, certificates and pip's settings are this machine's own.
# Everything is mounted in a name space of its own: it is gone with the last process, whatever happens.
set -euo pipefail
cd "$(dirname "$0")/.."
NEEDED=make,python3,python3-venv # what the README names, and nothing else
lack() { echo "$*" >&2; exit 2; }

# --- outside: checks, a temporary folder, the name space ---------------------------------------

outside() {
    [[ "${1:-}" =~ ^[a-z]+$ && $# -ge 2 ]] || lack "用法：scripts/fresh.sh 发行版代号 命令...（例如 bookworm make demo ONCE=1）"
    [ "${CI:-}" != true ] || lack "fresh.sh 不在 CI 中运行"
    [ "$(id -u)" -eq 0 ] || lack "fresh.sh 需要 root（要建立最小的 Debian 系统）"
    command -v debootstrap >/dev/null || lack "缺少 debootstrap：请先运行 apt-get install debootstrap"
    command -v git >/dev/null || lack "缺少 git：请先运行 apt-get install git"
    folder=$(mktemp -d -t "fresh-$1-XXXXXX")
    child=""
    trap 'finish' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # A child in the background, so that a signal is answered at once and not when the command ends.
    # setpriv and --kill-child: when this process is killed outright, so is all of it.
    FRESH_FOLDER="$folder" setpriv --pdeathsig KILL \
        unshare --mount --propagation private --pid --fork --kill-child scripts/fresh.sh "$@" &
    child=$!
    wait "$child"
}

# End what still runs in the name space, then delete; never across a mount.
finish() {
    code=$?
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf --one-file-system "$folder" || { sleep 1 && rm -rf --one-file-system "$folder"; }
    exit "$code"
}

# --- inside: the system, its settings, the command ---------------------------------------------

inside() {
    [ $$ -eq 1 ] || lack "FRESH_FOLDER 只供 fresh.sh 自己使用"
    suite="$1" root="$FRESH_FOLDER/root" began=$SECONDS
    shift
    mount -t proc proc /proc
    make_system >&2
    copy_settings
    mkdir -p "$root/srv/shenfa"
    git archive HEAD | tar -x -C "$root/srv/shenfa"
    data="${SHENFA_TEST_DATA:-../shared/data}"
    [ ! -d "$data" ] || show "$data" /srv/shared/data
    made=$((SECONDS - began))
    echo "Debian $suite 已建好（${made} 秒），运行：$*" >&2
    began=$SECONDS code=0
    # Begun in the background, this shell ignores SIGINT; the command must be able to hear it.
    env --default-signal=INT -i "${settings[@]}" HOME="$home" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$root" /bin/sh -c 'cd /srv/shenfa && exec "$@"' sh "$@" || code=$?
    echo "Debian $suite：$* 退出码 $code，用时 $((SECONDS - began)) 秒（建系统另用 ${made} 秒）" >&2
    exit "$code"
}

# A minimal Debian from this machine's mirror, with its updates when the mirror has them.
make_system() {
    targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages')
    mirror=$(awk '$3 == "main" && $2 !~ /-/ {print $1; exit}' <<<"$targets")
    security=$(awk '$3 == "main" && $2 ~ /-security$/ {print $1; exit}' <<<"$targets")
    [ -n "$mirror" ] || lack "这台机器的 apt 没有可用的 Debian 镜像"
    script="/usr/share/debootstrap/scripts/$suite"
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    debootstrap --variant=minbase --include="$NEEDED" "$suite" "$root" "$mirror" "$script" >&2
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
    if [ -n "$security" ] && [ "$suite" != sid ]; then
        echo "deb $security $suite-security main" >>"$root/etc/apt/sources.list"
    fi
    apt-config dump | grep -E '^Acquire::(Check|http|https|Retries|ForceIP)' \
        >"$root/etc/apt/apt.conf.d/99machine" || true
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

# Show a file or folder of this machine at its place (or at $2) in the new system, read-only.
show() {
    local place="$root${2:-$1}"
    if [ -d "$1" ]; then mkdir -p "$place"; else mkdir -p "${place%/*}" && touch "$place"; fi
    mount --bind "$1" "$place"
    mount -o remount,bind,ro "$place"
}

# pip's settings and certificates: the files, what they point at, and the variables.
copy_settings() {
    home=$(getent passwd 0 | cut -d: -f6)
    settings=() settings_text=""
    wanted='^(PIP_|(https?|no|all)_proxy=|(HTTPS?|NO|ALL)_PROXY=|SSL_CERT_FILE=|REQUESTS_CA_BUNDLE=)'
    while IFS= read -r -d '' pair; do
        [[ ! "$pair" =~ $wanted ]] || settings+=("$pair")
    done < <(env -0)
    for file in "${PIP_CONFIG_FILE:-}" /etc/pip.conf /etc/xdg/pip/pip.conf "$home/.pip/pip.conf" \
        "$home/.config/pip/pip.conf"; do
        [ -f "$file" ] || continue
        install -D -m 644 "$file" "$root$file"
        settings_text+=$'\n'$(<"$file")
    done
    # Folders and files that these name: a find-links folder, a certificate, constraints.
    while read -r path; do
        [ ! -f "$path" ] || install -D -m 644 "$path" "$root$path"
        # The pages of an index folder point at files beside it.
        [[ "$path" != */simple ]] || path="${path%/simple}"
        [ ! -d "$path" ] || show "$path"
    done < <(printf '%s\n' "${settings[@]}" "$settings_text" |
        grep -oE '(^|[= ]|file://)/[^ ,]+' | sed -E 's#^[= ]##; s#^file://##' | sort -u)
}

if [ -n "${FRESH_FOLDER:-}" ]; then inside "$@"; else outside "$@"; fi
