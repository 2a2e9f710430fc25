# shellcheck shell=dash
# LuCI's web server has the ports 80 and 443, which robots ask for, too.  Sourced.

# bumper_luci_entries FUNCTION: call it with "listen_http ADDRESS:PORT" for each of them.
bumper_luci_entries() {
	reset_cb
	config_load uhttpd || return 0
	config_list_foreach main listen_http "$1" listen_http
	config_list_foreach main listen_https "$1" listen_https
}

bumper_luci_port() {
	[ "${1##*:}" != "$bumper_port" ] || bumper_held=1
}

# bumper_luci_has PORT
bumper_luci_has() {
	bumper_port="$1" bumper_held=''
	bumper_luci_entries bumper_luci_port
	[ -n "$bumper_held" ]
}

# bumper_luci_warn FILE: say which of the ports in these settings LuCI has.
bumper_luci_warn() {
	local port ports=''
	for port in 443 80; do
		grep -q "^at = \"tcp:${port}[:\"]" "$1" && bumper_luci_has "$port" && ports="$ports $port"
	done
	[ -z "$ports" ] || logger -s -t bumper -p daemon.warn "LuCI has the ports$ports, so robots that" \
		"ask for those cannot come in.  /etc/init.d/bumper move_luci moves LuCI to the ports" \
		"8443 and 8080, /etc/init.d/bumper luci_back back again"
}

bumper_luci_moves() {
	local entry="$1"
	case "$entry" in
	*:"$bumper_from_http") entry="${entry%:*}:$bumper_to_http" ;;
	*:"$bumper_from_https") entry="${entry%:*}:$bumper_to_https" ;;
	esac
	bumper_moved="$bumper_moved$2=$entry
"
}

# bumper_luci_move FROM_HTTP TO_HTTP FROM_HTTPS TO_HTTPS: the other addresses stay as they are.
bumper_luci_move() {
	local line
	bumper_from_http="$1" bumper_to_http="$2" bumper_from_https="$3" bumper_to_https="$4"
	bumper_moved=''
	bumper_luci_entries bumper_luci_moves
	[ -n "$bumper_moved" ] || return 1
	uci -q delete uhttpd.main.listen_http
	uci -q delete uhttpd.main.listen_https
	while read -r line; do
		[ -z "$line" ] || uci add_list "uhttpd.main.$line" || return 1
	done <<-END
		$bumper_moved
	END
	uci commit uhttpd
	/etc/init.d/uhttpd restart
}

# bumper_luci_away: LuCI on other ports.
bumper_luci_away() {
	if ! bumper_luci_has 443 && ! bumper_luci_has 80; then
		echo "LuCI has neither port 443 nor port 80; nothing is changed"
		return 0
	fi
	bumper_luci_move 80 8080 443 8443 || return 1
	uci set bumper.main.luci_moved=1
	uci commit bumper
	echo "LuCI is at https://<this router>:8443 and http://<this router>:8080 from now on"
}

# bumper_luci_back: LuCI where it was, if it was moved by us.
bumper_luci_back() {
	[ "$(uci -q get bumper.main.luci_moved)" = 1 ] || return 0
	bumper_luci_move 8080 80 8443 443 || return 1
	uci -q delete bumper.main.luci_moved
	uci commit bumper
	echo "LuCI has the ports 80 and 443 again"
}
