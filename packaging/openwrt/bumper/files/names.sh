# shellcheck shell=dash
# The vendor's names lead to this router: what dnsmasq is told, and how that is taken back.
# The same lines as "bumper dns --for openwrt" prints.  Sourced.

# tests/packaging/test_openwrt.py keeps this in step with the server.
BUMPER_ZONES="ecouser.net ecouser.com ecouser.cn ecovacs.com ecovacs.net ecovacs.cn"

# What was added, so that nothing else is ever taken away: one "list value" a line.  Not
# in /etc/bumper, where the server may write.
BUMPER_ADDED=/etc/bumper.dnsmasq

# The address of this router in its LAN; nothing if it gets it from another one.
bumper_address() {
	local address
	address="$(uci -q get network.lan.ipaddr)" || return 1
	# There may be several, and each may have the length of its net behind it.
	address="${address%% *}"
	address="${address%%/*}"
	case "$address" in
	*[!0-9.]* | "") return 1 ;;
	esac
	printf '%s' "$address"
}

# bumper_lines ADDRESS: print what dnsmasq has to be told, one "list value" a line.
bumper_lines() {
	local zone
	for zone in $BUMPER_ZONES; do
		# Asked nowhere else, so that there are no IPv6 addresses from the vendor.
		echo "server /$zone/"
		echo "address /$zone/$1"
		# Where another DNS server of the house answers with this address.
		echo "rebind_domain $zone"
	done
}

# What dnsmasq has been told, one "list value" a line, with a line end at both ends.
bumper_told() {
	local list value
	echo
	for list in server address rebind_domain; do
		# Words: none of ours has a blank in it.
		for value in $(uci -q get "dhcp.@dnsmasq[0].$list"); do
			echo "$list $value"
		done
	done
	# What ends in line ends loses them in $(...).
	echo .
}

# bumper_names_add: tell dnsmasq, unless it knows; 1 when there is nothing to tell it.
bumper_names_add() {
	local address list value told changed=''
	if ! address="$(bumper_address)"; then
		logger -s -t bumper -p daemon.warn "network.lan.ipaddr is not set, so dnsmasq is not" \
			"told where the robots' names lead; \"bumper dns --for openwrt\" prints the lines"
		return 1
	fi
	bumper_names_remove "$address"
	told="$(bumper_told)"
	while read -r list value; do
		case "$told" in
		*"
$list $value
"*) continue ;;
		esac
		uci add_list "dhcp.@dnsmasq[0].$list=$value" || return 1
		echo "$list $value" >>"$BUMPER_ADDED"
		changed=1
	done <<-END
		$(bumper_lines "$address")
	END
	[ -z "$changed" ] || bumper_names_done
}

# bumper_names_remove [ADDRESS]: take back what was added, or what of it is not for this address.
bumper_names_remove() {
	local list value kept='' changed='' lines=''
	[ -f "$BUMPER_ADDED" ] || return 0
	[ -z "$1" ] || lines="
$(bumper_lines "$1")
"
	while read -r list value; do
		case "$lines" in
		*"
$list $value
"*)
			kept="$kept$list $value
"
			;;
		*) uci -q del_list "dhcp.@dnsmasq[0].$list=$value" && changed=1 ;;
		esac
	done <"$BUMPER_ADDED"
	[ -n "$changed" ] || [ -z "$1" ] || return 0
	rm -f "$BUMPER_ADDED"
	[ -z "$kept" ] || printf '%s' "$kept" >"$BUMPER_ADDED"
	[ -z "$changed" ] || bumper_names_done
}

# A reload of dnsmasq does not read these lines.  Before the first start there is nothing to do.
bumper_names_done() {
	uci commit dhcp
	if [ -x /etc/init.d/dnsmasq ] && /etc/init.d/dnsmasq running; then
		/etc/init.d/dnsmasq restart
	fi
}
