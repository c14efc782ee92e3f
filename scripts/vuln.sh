#!/usr/bin/env bash
# Looks for known vulnerabilities in what the module uses. Findings fail; a database that cannot be reached does not, but is
# said plainly: a check that was not made must not look like one that was passed.
set -euo pipefail

tool=$1
status=0
output=$("$tool" ./... 2>&1) || status=$?
if [ "$status" -eq 0 ]; then
	echo "$output"
	exit 0
fi
# govulncheck exits with 3 when it has found something, and with 1 when it could not look.
if [ "$status" -eq 1 ] && grep -qiE 'fetching vulnerabilities|vuln\.go\.dev|no such host|connection refused|i/o timeout|proxyconnect|403|404 Not Found' <<<"$output"; then
	echo "NOT CHECKED for known vulnerabilities: the database cannot be reached from here:"
	tail -n 3 <<<"$output"
	exit 0
fi
echo "$output"
exit "$status"
