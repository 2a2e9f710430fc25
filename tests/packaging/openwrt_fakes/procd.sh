# procd's functions, which only write down how they were called: words with a US between them,
# an RS behind the last.

record() {
	local word
	for word; do
		printf '%s\037' "$word"
	done >>"$RECORD"
	printf '\036' >>"$RECORD"
}

procd_open_instance() { record procd_open_instance "$@"; }
procd_set_param() { record procd_set_param "$@"; }
procd_close_instance() { record procd_close_instance "$@"; }
procd_add_reload_trigger() { record procd_add_reload_trigger "$@"; }
procd_send_signal() { record procd_send_signal "$@"; }
procd_running() { [ -e "$BOX/running" ]; }
procd_add_validation() { PROCD_VALIDATES=1 "$@"; }

# As the real one: the options become variables, with what they are without the owner.
uci_validate_section() {
	local package="$1" type="$2" section="$3" one name rest value
	shift 3
	[ -z "$PROCD_VALIDATES" ] || record uci_validate_section "$package" "$type" "$@"
	for one; do
		name="${one%%:*}" rest="${one#*:}"
		case "$rest" in
		bool:*)
			value="$(uci -q get "$package.$section.$name")" || value="${rest#bool:}"
			case "$value" in
			1 | on | true | yes | enabled) eval "$name=1" ;;
			0 | off | false | no | disabled) eval "$name=0" ;;
			*) return 1 ;;
			esac
			;;
		esac
	done
}
