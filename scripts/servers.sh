#!/usr/bin/env bash
# Finds Redis, PostgreSQL and MariaDB, of which the tests start private servers, and installs what is missing by the system's
# package manager; and Chromium, in which the tests of the dashboard's page run, where it is named. What the tests are to do without is named in
# TASKFLOW_SKIP=redis,postgres,mariadb,browser, and is left alone.
#
#   scripts/servers.sh           find or install; fails when one cannot be had
#   scripts/servers.sh find      find only
#   scripts/servers.sh browser   the browser instead of the servers
#
# No service is needed, and none is started; Debian's packages enable theirs for the next boot, which is left as it is. See
# internal/testserver, which looks for the programs in the same places.
set -euo pipefail

kinds=(redis postgres mariadb)
known=("${kinds[@]}" browser)

# first NAME... -- FOLDER...: the path of the first program that is in the PATH or in one of the folders; the highest version.
first() {
	local names=() name folder path
	while [ "$1" != -- ]; do
		names+=("$1")
		shift
	done
	shift
	for name in "${names[@]}"; do
		if path=$(type -P "$name"); then
			echo "$path"
			return 0
		fi
		for folder in "$@"; do
			# A folder is a pattern, which the shell expands here.
			for path in $(printf '%s\n' $folder/"$name" | sort -rV); do
				if [ -f "$path" ] && [ -x "$path" ]; then
					echo "$path"
					return 0
				fi
			done
		done
	done
	return 1
}

# beside SERVER NAME FOLDER...: a program that belongs to the server.
beside() {
	local target name=$2
	target=$(dirname "$(realpath "$1")")/$name
	shift 2
	if [ -x "$target" ]; then echo "$target"; else first "$name" -- "$@"; fi
}

find_server() { # find_server KIND: the path of its server; fails when that or one of its other programs is missing
	local server folders
	case $1 in
	redis)
		first redis-server valkey-server -- /usr/bin /usr/sbin /usr/local/bin /opt/homebrew/bin
		;;
	postgres)
		folders=('/usr/lib/postgresql/*/bin' '/usr/libexec/postgresql*' '/usr/pgsql-*/bin' /usr/bin /usr/local/bin
			'/opt/homebrew/opt/postgresql*/bin' '/usr/local/opt/postgresql*/bin' /opt/homebrew/bin)
		server=$(first postgres -- "${folders[@]}") || return 1
		beside "$server" initdb "${folders[@]}" >/dev/null && beside "$server" psql "${folders[@]}" >/dev/null && echo "$server"
		;;
	mariadb)
		folders=(/usr/sbin /usr/libexec /usr/bin /usr/local/sbin /usr/local/bin
			'/opt/homebrew/opt/mariadb*/bin' '/usr/local/opt/mariadb*/bin' /opt/homebrew/bin)
		server=$(first mariadbd -- "${folders[@]}") || return 1
		beside "$server" mariadb-install-db "${folders[@]}" >/dev/null && beside "$server" mariadb "${folders[@]}" >/dev/null && echo "$server"
		;;
	browser)
		first chromium chromium-browser google-chrome-stable google-chrome Chromium 'Google Chrome' -- /usr/bin /usr/local/bin /opt/google/chrome \
			/usr/lib64/chromium-browser /snap/bin /Applications/Chromium.app/Contents/MacOS '/Applications/Google*Chrome.app/Contents/MacOS'
		;;
	esac
}

skipped() { # skipped KIND: TASKFLOW_SKIP names it
	case ",$(tr -d ' ' <<<"${TASKFLOW_SKIP:-}" | tr '[:upper:]' '[:lower:]')," in
	*",$1,"*) return 0 ;;
	*) return 1 ;;
	esac
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif type -P sudo >/dev/null; then
		sudo -n "$@"
	else
		echo "servers: this takes root, and there is no sudo: $*" >&2
		return 1
	fi
}

# debian PACKAGE...: Debian's packages start services when they are installed, unless a policy says no. One that is there stays.
debian() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'as_root rm -f "$policy"' EXIT
		as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" || return 1
	fi
	install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@")
	# The lists of packages may be missing or old.
	as_root "${install[@]}" || { as_root apt-get update -qq && as_root "${install[@]}"; }
)

# install KIND: by the first package manager that there is. Of several names the first that it knows is taken.
install() {
	local name kind=$1
	if type -P apt-get >/dev/null; then
		case $kind in
		redis) debian redis-server ;;
		postgres) debian postgresql ;;
		mariadb) debian mariadb-server ;;
		browser) debian chromium || debian chromium-browser ;;
		esac
	elif type -P dnf >/dev/null; then
		case $kind in
		redis) as_root dnf install -q -y redis || as_root dnf install -q -y valkey ;;
		postgres) as_root dnf install -q -y postgresql-server ;;
		mariadb) as_root dnf install -q -y mariadb-server ;;
		browser) as_root dnf install -q -y chromium ;;
		esac
	elif type -P apk >/dev/null; then
		case $kind in
		redis) as_root apk add -q --no-cache redis || as_root apk add -q --no-cache valkey ;;
		postgres) as_root apk add -q --no-cache postgresql postgresql-client ;;
		mariadb) as_root apk add -q --no-cache mariadb mariadb-client ;;
		browser) as_root apk add -q --no-cache chromium ;;
		esac
	elif type -P pacman >/dev/null; then
		case $kind in
		redis) name=valkey ;;
		postgres) name=postgresql ;;
		mariadb) name=mariadb ;;
		browser) name=chromium ;;
		esac
		as_root pacman -S --noconfirm --needed "$name" || as_root pacman -Sy --noconfirm --needed "$name"
	elif type -P brew >/dev/null; then
		case $kind in
		redis) brew install --quiet redis ;;
		postgres) brew install --quiet postgresql@17 ;;
		mariadb) brew install --quiet mariadb ;;
		browser) brew install --quiet --cask chromium ;;
		esac
	else
		echo "servers: no apt-get, dnf, apk, pacman or brew is here to install $kind" >&2
		return 1
	fi
}

for name in $(tr ',' ' ' <<<"${TASKFLOW_SKIP:-}" | tr '[:upper:]' '[:lower:]'); do
	case " ${known[*]} " in
	*" $name "*) ;;
	*)
		echo "servers: TASKFLOW_SKIP names \"$name\"; what can be skipped is redis, postgres, mariadb and browser" >&2
		exit 1
		;;
	esac
done

if [ "${1:-}" = browser ]; then kinds=(browser); fi

missing=()
for kind in "${kinds[@]}"; do
	if skipped "$kind"; then
		printf '%-9s skipped, its tests too: TASKFLOW_SKIP\n' "$kind"
		continue
	fi
	if ! path=$(find_server "$kind"); then
		if [ "${1:-}" != find ]; then
			echo "servers: $kind is missing; installing it" >&2
			install "$kind" >&2 || echo "servers: installing $kind has failed" >&2
			hash -r
		fi
		if ! path=$(find_server "$kind"); then
			missing+=("$kind")
			continue
		fi
	fi
	version=$("$path" --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || version=unknown
	printf '%-9s %-9s %s\n' "$kind" "$version" "$path"
done

if [ "${#missing[@]}" -gt 0 ]; then
	names=$(
		IFS=,
		echo "${missing[*]}"
	)
	echo "servers: missing, and not installed: ${missing[*]}. Install them, or do without their tests: TASKFLOW_SKIP=$names" >&2
	exit 1
fi
