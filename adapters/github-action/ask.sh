#!/usr/bin/env bash
# Asks what the inputs of the action say, and writes its outputs.
set -euo pipefail

key=${ASK_KEY:-github/$GITHUB_REPOSITORY/$GITHUB_RUN_ID/$GITHUB_JOB/$ASK_NAME}
arguments=(--type "$ASK_TYPE" --name "$ASK_NAME" --timeout "$ASK_TIMEOUT" --scope "$GITHUB_RUN_ID")
# A key of any length, and what may be a secret stays one.
arguments+=(--idempotency-key "github-$(printf %s "$key" | sha256sum | cut -d ' ' -f 1)")
arguments+=(--label framework=github-action)
[ -z "$ASK_DEFAULT" ] || arguments+=(--default "$ASK_DEFAULT")
[ "$ASK_PRINT_LINK" != true ] || arguments+=(--print-link)
while IFS= read -r option; do
    [ -z "$option" ] || arguments+=(--choice "$option")
done <<<"$ASK_OPTIONS"

status=0
answer=$("$HITL_PROGRAM" ask "${arguments[@]}" -- "$ASK_PROMPT") || status=$?
case $status in
0) outcome=answered ;;
3) outcome=declined ;;
4) outcome=cancelled ;;
5) outcome=timed-out ;;
*) exit "$status" ;;
esac

# What the runner ends a value at, which no answer can foresee.
end=end_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf 'outcome=%s\nanswer<<%s\n%s\n%s\n' "$outcome" "$end" "$answer" "$end" >>"$GITHUB_OUTPUT"
[ "$status" = 0 ] || exit "$status"
if [ -n "$ASK_REQUIRED" ] && [ "$answer" != "$ASK_REQUIRED" ]; then
    echo "::error::The answer is not $ASK_REQUIRED."
    exit 1
fi
