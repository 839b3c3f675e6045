#!/bin/sh
# 解密并合并本包：sh join.sh 私钥.pem 证书.pem 输出文件
# Decrypts the parts and joins them, once all are decrypted: sh join.sh KEY.pem CERT.pem OUTPUT
# Needs coreutils and openssl 3, and three times a part (1 GiB) in memory.
[ $# -eq 3 ] || { echo "usage: sh join.sh KEY.pem CERT.pem OUTPUT" >&2; exit 2; }
key=$(realpath "$1") && cert=$(realpath "$2") && output=$(realpath -m "$3") || exit 2
[ ! -e "$output" ] || { echo "$output is there already" >&2; exit 2; }
cd "$(dirname "$0")" || exit 3
OPENSSL_CONF=/dev/null
export OPENSSL_CONF
sha256sum --quiet --strict -c SHA256SUMS || { echo "BAD: a part is not as it was made" >&2; exit 1; }
mkdir "$output.parts" || exit 3
fail() { echo "BAD: $1" >&2; rm -rf "$output.parts"; exit 1; }
for part in part-*.p7m; do
    openssl cms -decrypt -binary -inform DER -in "$part" -inkey "$key" -recip "$cert" -out "$output.parts/$part" ||
        fail "$part cannot be decrypted with this key"
done
cat "$output.parts"/part-*.p7m >"$output.joined" && mv "$output.joined" "$output" || fail "$output cannot be written"
rm -rf "$output.parts"
echo "ok $output"
