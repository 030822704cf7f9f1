# What every job of the tests with real processes does first; $0 is the file of all starts.
echo "$SKINT_ATTEMPT" >> "$0"

# say N: report that N epochs are done.
say() {
    printf '{"attempt":"%s","fence":%d,"seq":0,"at":0,"kind":"report","values":{"epoch":%d}}\n' \
        "$SKINT_ATTEMPT" "${SKINT_ATTEMPT##*.}" "$1" >> "$SKINT_ATTEMPT_DIR/events.jsonl"
}
