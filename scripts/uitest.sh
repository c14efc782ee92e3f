#!/usr/bin/env bash
# Runs browser tests of the dashboard's page: finds or installs the browser, builds the server that the tests look at, and hands over to Playwright.
#
#   scripts/uitest.sh ui [ARGUMENT...]      the tests; arguments go to playwright test
#   scripts/uitest.sh bench [ARGUMENT...]   the measurements
#
# TASKFLOW_SKIP=browser does without.
set -euo pipefail
cd "$(dirname "$0")/.."

found=$(scripts/servers.sh browser)
echo "$found"
case $found in
*" skipped"*) exit 0 ;;
esac
TASKFLOW_BROWSER=$(sed -E 's/^browser +[^ ]+ +//' <<<"$found")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${GO:-go}" build -o "$folder/uiserver" ./internal/uiserver
export TASKFLOW_BROWSER TASKFLOW_UISERVER=$folder/uiserver

cd dashboard/ui
if ! cmp -s package-lock.json node_modules/.taskflow-lock; then
	npm ci --no-audit --no-fund
	cp package-lock.json node_modules/.taskflow-lock
fi
npx playwright test "--project=$1" "${@:2}"
