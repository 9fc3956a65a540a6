#!/bin/sh
# Answers for the handler `prices` with nothing but curl: asks for the next question, again and again.
#
#     PARLEY_URL=http://127.0.0.1:8080 PARLEY_KEY=pk_… sh prices.sh

ask() {
    curl --silent --fail --max-time 40 --json "$2" --header "Authorization: Bearer $PARLEY_KEY" "$PARLEY_URL/api/v1/$1"
}

field() { # the first text of that name
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

while true; do
    found=$(ask questions/next '{"handler": "prices", "wait": 20}') || { sleep 1; continue; }
    id=$(printf %s "$found" | sed -n 's/.*"question":{"id":"\([0-9]*\)".*/\1/p')
    [ -n "$id" ] || continue
    case $(printf %s "$found" | field item) in
        bread) answer='{"body": {"price": 5}}' ;;
        cake) answer='{"body": {"price": 20}}' ;;
        *) answer='{"status": 404}' ;;
    esac
    ask "questions/$id/answer" "$answer"
done
