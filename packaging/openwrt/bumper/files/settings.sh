# shellcheck shell=dash
# From /etc/config/bumper to the settings file of the server.  Sourced by the init script.
#
# Every setting has one name everywhere: mqtt.queued is "option queued" in "config mqtt".  What
# is written here is TOML, because the server reads that again on SIGHUP, which it cannot do
# with variables; and because a value in it has quotes around it that no value gets out of.
# Names and values that are wrong are written all the same: the server says best what is wrong.

# What each setting is; tests/packaging/test_openwrt.py keeps this in step with the server.
BUMPER_FLAGS="
listen.tls listen.legacy_tls listen.anonymous listen.optional
tls.constrain
front.journal_file
dns.serve dns.needed
identity.closed
xmpp.require_tls_users xmpp.require_tls_robots xmpp.adopt_robots xmpp.fanout_events
metrics.serve
dashboard.serve dashboard.everywhere
"
BUMPER_NUMBERS="
server.threads
tls.leaves tls.contexts tls.new_leaves_per_minute
front.seconds front.undecided front.undecided_per_peer front.journal
dns.port dns.cache
identity.robots identity.new_robots_per_hour identity.token_days identity.takeovers_per_minute
commands.timeout commands.outstanding commands.queued
storage.history_days storage.history_reports storage.cleaning_logs storage.cache_bytes
mqtt.max_packet mqtt.max_topic mqtt.max_levels mqtt.all_levels mqtt.subscriptions mqtt.inflight
mqtt.queued mqtt.backlog_bytes mqtt.sessions mqtt.session_days mqtt.session_bytes
mqtt.retained mqtt.retained_bytes mqtt.retained_days mqtt.login_seconds mqtt.keep_alive_max
mqtt.connections mqtt.connections_per_peer mqtt.strangers mqtt.strangers_per_peer
mqtt.figures_seconds
xmpp.max_stanza xmpp.max_depth xmpp.max_attributes xmpp.max_elements xmpp.backlog_bytes
xmpp.login_seconds xmpp.ping_seconds xmpp.silence_seconds xmpp.sessions_per_user
xmpp.connections xmpp.connections_per_peer xmpp.strangers xmpp.strangers_per_peer
web.max_body web.upload_bytes web.uploads_robot_bytes web.uploads_bytes web.idle_seconds
web.request_seconds web.connections web.connections_per_peer
dashboard.session_hours
"
BUMPER_LISTS="
server.name
dns.answer dns.upstream dns.check
"
BUMPER_TABLES="
log.levels
"
BUMPER_TEXTS="
server.announce server.profile
listen.serve listen.at
tls.directory
dns.interface
identity.policy identity.robots_of
storage.directory
mqtt.passwords mqtt.access
web.unknown
log.format log.level
metrics.token_file
"

# Options of "config bumper 'main'", which are for OpenWrt and not for the server.
BUMPER_OWN="enabled dns data_dir luci_moved"

# bumper_among WORD WORDS: is it one of them?
bumper_among() {
	# shellcheck disable=SC2086 # words
	set -- "$1" $2
	local word="$1" one
	shift
	for one; do
		[ "$one" != "$word" ] || return 0
	done
	return 1
}

# bumper_text VALUE: print it as a string of TOML.
bumper_text() {
	case "$1" in
	*[!A-Za-z0-9\ ._:/,=@%+-]*)
		# By the environment: awk would take backslashes in an assignment for its own.
		BUMPER_VALUE="$1" LC_ALL=C awk '
			BEGIN {
				for (n = 1; n < 32; n++)
					told[sprintf("%c", n)] = sprintf("\\u%04x", n)
				told[sprintf("%c", 127)] = "\\u007f"
				told["\""] = "\\\""
				told["\\"] = "\\\\"
				value = ENVIRON["BUMPER_VALUE"]
				printf "\""
				for (n = 1; n <= length(value); n++) {
					letter = substr(value, n, 1)
					printf "%s", (letter in told) ? told[letter] : letter
				}
				printf "\""
			}'
		;;
	*) printf '"%s"' "$1" ;;
	esac
}

# bumper_name NAME: print it as a key of TOML.
bumper_name() {
	case "$1" in
	"" | *[!A-Za-z0-9_-]*) bumper_text "$1" ;;
	*) printf '%s' "$1" ;;
	esac
}

# bumper_is_number VALUE: does TOML take it for one?
bumper_is_number() {
	local whole="${1#-}"
	case "$whole" in
	*.*.* | .* | *. | *[!0-9.]* | "" | 0[0-9]*) return 1 ;;
	esac
}

# bumper_value KEY VALUE: print the value of one setting.
bumper_value() {
	if bumper_among "$1" "$BUMPER_FLAGS"; then
		# What UCI takes for true and false.
		case "$2" in
		1 | on | true | yes | enabled) printf true && return ;;
		0 | off | false | no | disabled) printf false && return ;;
		esac
	elif bumper_among "$1" "$BUMPER_NUMBERS"; then
		bumper_is_number "$2" && printf '%s' "$2" && return
	fi
	bumper_text "$2"
}

# bumper_pair KEY=VALUE: print one entry of a table.
bumper_pair() {
	bumper_text "${1%%=*}"
	case "$1" in
	*=*) printf ' = ' && bumper_text "${1#*=}" ;;
	*) printf ' = ""' ;;
	esac
}

# The end of a list: all of it on one line.
bumper_flush() {
	[ -n "$bumper_items" ] || return 0
	if bumper_among "$bumper_section.$bumper_list" "$BUMPER_TABLES"; then
		printf '%s = { %s }\n' "$bumper_list" "$bumper_items"
	else
		printf '%s = [ %s ]\n' "$(bumper_name "$bumper_list")" "$bumper_items"
	fi
	bumper_items=
}

# The end of a section: what it has when nobody says otherwise.
bumper_close() {
	bumper_flush
	[ -z "$bumper_folder" ] || printf 'directory = %s\n' "$(bumper_text "$bumper_folder")"
	bumper_folder=
}

bumper_complain() {
	logger -s -t bumper -p daemon.err "/etc/config/bumper: $1"
	bumper_wrong=1
}

# What functions.sh calls for each section: NAME of a type, and once more at the end.
bumper_section_begins() {
	bumper_close
	bumper_section="$1"
	case "$1" in
	"" | bumper) return ;;
	listen) printf '\n[[listen]]\n' && return ;;
	esac
	if bumper_among "$1" "$bumper_sections"; then
		bumper_complain "there are two sections \"config $1\"; one has to have it all"
		return
	fi
	bumper_sections="$bumper_sections $1"
	bumper_folder="$(bumper_folder_of "$1")"
	printf '\n[%s]\n' "$(bumper_name "$1")"
}

# bumper_folder_of SECTION: print the folder it needs, if any.
bumper_folder_of() {
	case "$1" in
	storage) printf '%s/data' "$bumper_data" ;;
	tls) printf '%s/certs' "$bumper_data" ;;
	esac
}

bumper_option() {
	bumper_flush
	local key="$bumper_section.$1"
	if [ "$bumper_section" = bumper ]; then
		bumper_among "$1" "$BUMPER_OWN" ||
			bumper_complain "option $1 is unknown in \"config bumper\"; there are $BUMPER_OWN"
	elif bumper_among "$key" "$BUMPER_TABLES"; then
		bumper_words "$1" "$2"
	else
		[ "$1" != directory ] || bumper_folder=
		printf '%s = %s\n' "$(bumper_name "$1")" "$(bumper_value "$key" "$2")"
	fi
}

# bumper_words NAME VALUE: "option levels 'mqtt=debug,web=warn'" is the same as a list of two.
bumper_words() {
	local rest="$2,"
	while [ -n "$rest" ]; do
		[ -z "${rest%%,*}" ] || bumper_item "$1" "${rest%%,*}"
		rest="${rest#*,}"
	done
	bumper_flush
}

bumper_item() {
	if [ "$bumper_section" = bumper ]; then
		bumper_complain "list $1 is unknown in \"config bumper\"; there are options $BUMPER_OWN"
		return
	fi
	[ "$1" = "$bumper_list" ] || bumper_flush
	bumper_list="$1"
	local entry
	if bumper_among "$bumper_section.$1" "$BUMPER_TABLES"; then
		entry="$(bumper_pair "$2")"
	else
		entry="$(bumper_text "$2")"
	fi
	bumper_items="${bumper_items:+$bumper_items, }$entry"
}

# bumper_write FILE: all of /etc/config/bumper as the settings file of the server; fails, with a
# line in the log, when that cannot be.
bumper_write() {
	bumper_data='' bumper_section='' bumper_sections='' bumper_list='' bumper_items='' bumper_folder=''
	bumper_wrong=''
	reset_cb
	config_load bumper || bumper_complain "cannot be read; \"uci show bumper\" says where"
	config_get bumper_data main data_dir /etc/bumper
	(umask 077 && : >"$1") || return 1
	# shellcheck disable=SC2317 # functions.sh calls these
	config_cb() { bumper_section_begins "$1"; }
	# shellcheck disable=SC2317
	option_cb() { bumper_option "$1" "$2"; }
	# shellcheck disable=SC2317
	list_cb() { bumper_item "$1" "$2"; }
	{
		printf '# Made of /etc/config/bumper; what is changed here is lost.\n'
		config_load bumper
		bumper_close
		for bumper_section in storage tls; do
			bumper_among "$bumper_section" "$bumper_sections" ||
				printf '\n[%s]\ndirectory = %s\n' "$bumper_section" \
					"$(bumper_text "$(bumper_folder_of "$bumper_section")")"
		done
	} >"$1"
	reset_cb
	[ -z "$bumper_wrong" ]
}

# bumper_lowest_port FILE: print the lowest port that these settings listen at.
bumper_lowest_port() {
	awk '
		function needed(port) {
			if (port > 0 && port < lowest)
				lowest = port
		}
		BEGIN { lowest = 65536; dns = 53 }
		/^\[/ { section = $0; listens += section == "[[listen]]"; next }
		section == "[[listen]]" && /^at = / {
			# The colons of IPv6 addresses have a backslash in front.
			gsub(/\\\\:/, ".")
			if (match($0, /:(port=)?[0-9]+[:"]/)) {
				text = substr($0, RSTART + 1)
				sub(/port=/, "", text)
				needed(text + 0)
			}
		}
		section == "[dns]" && $0 == "serve = true" { serves = 1 }
		section == "[dns]" && /^port = / { dns = $3 + 0 }
		END {
			# What the server does without a word about it.
			if (!listens)
				needed(80)
			if (serves)
				needed(dns)
			print lowest
		}' "$1"
}

# bumper_lasting FILE: print what of the settings cannot change while the server runs.
bumper_lasting() {
	awk '
		/^\[\[/ { number++ }
		/^\[/ { section = $0; next }
		/^(#|$)/ || (section == "[log]" && /^levels? = /) { next }
		section == "[identity]" && /^closed = / { next }
		{ print number, section, $0 }' "$1"
}

# bumper_validate SECTION: tell procd what its options are.
bumper_validate() {
	local section="$1" key types=
	for key in $BUMPER_FLAGS; do
		[ "${key%%.*}" != "$section" ] || types="$types ${key#*.}:bool"
	done
	for key in $BUMPER_NUMBERS; do
		[ "${key%%.*}" != "$section" ] || types="$types ${key#*.}:ufloat"
	done
	for key in $BUMPER_LISTS $BUMPER_TABLES; do
		[ "${key%%.*}" != "$section" ] || types="$types ${key#*.}:list(string)"
	done
	for key in $BUMPER_TEXTS; do
		[ "${key%%.*}" != "$section" ] || types="$types ${key#*.}:string"
	done
	# shellcheck disable=SC2086 # words without blanks
	uci_validate_section bumper "$section" "" $types
}

# Every section the server knows.
bumper_known_sections() {
	local key
	for key in $BUMPER_FLAGS $BUMPER_NUMBERS $BUMPER_LISTS $BUMPER_TABLES $BUMPER_TEXTS; do
		printf '%s\n' "${key%%.*}"
	done | sort -u
}
