#!/bin/sh
# 检验本包：只需 coreutils 和 openssl。用法：sh verify.sh [受信任的证书.pem]
# Checks this bag with coreutils and openssl alone: sh verify.sh [TRUSTED.pem]
# What this cannot do (proofs of the ledger, files that are in no manifest of other kinds): strongroom verify.
trust=
[ -z "$1" ] || trust=$(realpath "$1") || exit 2
cd "$(dirname "$0")" || exit 3
OPENSSL_CONF=/dev/null # none is needed
export OPENSSL_CONF
bad=0
say() { # say STATUS WHAT
    if [ "$1" -eq 0 ]; then echo "ok $2"; else echo "BAD $2"; bad=1; fi
}
sha256sum --quiet --strict -c tagmanifest-sha256.txt
say $? 'tagmanifest-sha256.txt'
sha256sum --quiet --strict -c manifest-sha256.txt
say $? 'manifest-sha256.txt'
find data -type f | LC_ALL=C sort >"${TMPDIR:-/tmp}/there.$$"
cut -c67- manifest-sha256.txt | LC_ALL=C sort | cmp -s - "${TMPDIR:-/tmp}/there.$$"
say $? 'data/ holds what the manifest says, and nothing else'
rm -f "${TMPDIR:-/tmp}/there.$$"
if [ -e seal.p7s ]; then
    if [ -n "$trust" ]; then
        openssl cms -verify -binary -inform DER -in seal.p7s -content tagmanifest-sha256.txt -CAfile "$trust" -purpose any -out /dev/null 2>/dev/null
        say $? 'seal.p7s, by a certificate that is trusted'
    else
        openssl cms -verify -binary -inform DER -in seal.p7s -content tagmanifest-sha256.txt -noverify -out /dev/null 2>/dev/null
        say $? 'seal.p7s (whose certificate it is was not asked)'
    fi
else
    echo 'none seal.p7s'
fi
if [ -e seal.tsr ] && [ -n "$trust" ]; then
    openssl ts -verify -in seal.tsr -data tagmanifest-sha256.txt -CAfile "$trust" >/dev/null 2>&1
    say $? 'seal.tsr'
fi
exit $bad
