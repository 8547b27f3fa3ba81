#!/bin/sh
# Looks whether the program calls code with a known vulnerability (govulncheck). The database of those comes
# over the network; VULNDB names another one, such as file:///srv/vulndb. Exits 3 when there is a vulnerability,
# and 0 with NOT CHECKED when neither the tool nor the database can be had; with VULN=required that is an error.
set -u
version=v1.9.0
tool=${BIN:-.bin}/govulncheck-$version

unchecked() {
	echo "vulnerabilities: NOT CHECKED: $1" >&2
	[ "${VULN:-}" = required ] && exit 1
	exit 0
}

mkdir -p "$(dirname "$tool")"
if [ ! -x "$tool" ]; then
	why=$(GOBIN=$(cd "$(dirname "$tool")" && pwd) go install golang.org/x/vuln/cmd/govulncheck@$version 2>&1) ||
		unchecked "govulncheck cannot be installed: $why"
	mv "$(dirname "$tool")/govulncheck" "$tool"
fi
report=$("$tool" ${VULNDB:+-db "$VULNDB"} ./... 2>&1)
code=$?
case $code in
0) echo "vulnerabilities: none known in what is called" ;;
1) unchecked "$(echo "$report" | tail -n 3)" ;; # it says why: no database, most often
*) echo "$report" >&2 ;;
esac
exit $code
