# The part of /lib/functions.sh that reads /etc/config: the same names, the same variables.

append_word() { eval "$1=\"\${$1:+\${$1} }\$2\""; }

reset_cb() {
	config_cb() { return 0; }
	option_cb() { return 0; }
	list_cb() { return 0; }
}
reset_cb

package() { return 0; }

config() {
	CONFIG_NUM_SECTIONS=$((CONFIG_NUM_SECTIONS + 1))
	CONFIG_SECTION="${2:-cfg$CONFIG_NUM_SECTIONS}"
	append_word CONFIG_SECTIONS "$CONFIG_SECTION"
	config_set "$CONFIG_SECTION" TYPE "$1"
	config_cb "$1" "$CONFIG_SECTION"
}

option() {
	local name="$1"
	shift
	config_set "$CONFIG_SECTION" "$name" "$*"
	option_cb "$name" "$*"
}

list() {
	local name="$1" length
	shift
	config_get length "$CONFIG_SECTION" "${name}_LENGTH" 0
	length=$((length + 1))
	append_word CONFIG_LISTS "${CONFIG_SECTION}_${name}"
	config_set "$CONFIG_SECTION" "${name}_ITEM$length" "$*"
	config_set "$CONFIG_SECTION" "${name}_LENGTH" "$length"
	list_cb "$name" "$*"
}

config_set() { export -n -- "CONFIG_${1}_${2}=$3" 2>/dev/null || eval "CONFIG_${1}_${2}=\$3"; }

config_get() {
	case "$2$3" in
	*[!A-Za-z0-9_]*) return 0 ;;
	esac
	eval "$1=\"\${CONFIG_${2}_${3}:-\$4}\""
}

config_load() {
	local data status one
	for one in $CONFIG_LISTS; do
		unset "CONFIG_${one}_LENGTH"
	done
	CONFIG_LISTS='' CONFIG_SECTIONS='' CONFIG_NUM_SECTIONS=0 CONFIG_SECTION=''
	data="$(uci -S -n export "$1" 2>/dev/null)"
	status=$?
	[ "$status" != 0 ] || eval "$data"
	[ -z "$CONFIG_SECTION" ] || config_cb
	return "$status"
}

config_list_foreach() {
	local section="$1" name="$2" function="$3" length count=1 value
	shift 3
	config_get length "$section" "${name}_LENGTH"
	[ -n "$length" ] || return 0
	while [ "$count" -le "$length" ]; do
		config_get value "$section" "${name}_ITEM$count"
		"$function" "$value" "$@"
		count=$((count + 1))
	done
}
