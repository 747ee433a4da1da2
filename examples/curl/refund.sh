#!/usr/bin/env bash
# One refund by name over plain HTTP: refund.sh CHARGE AMOUNT. Prints the answer, or the refusal with its fix.
set -euo pipefail

url=${COUNTERSIGN_URL:-http://127.0.0.1:8787}
charge=$1 amount=$2

curl --silent --show-error "$url/v1/providers/stripe/operations/create_refund" \
  --header "Authorization: Bearer $COUNTERSIGN_VAULT_KEY" \
  --header 'Content-Type: application/json' \
  --data "{\"params\": {\"charge\": \"$charge\", \"amount\": $amount}, \"call_id\": \"refund-$charge-$amount\"}" |
  python3 -m json.tool
