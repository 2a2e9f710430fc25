#!/bin/sh
# "bumper user add", "bumper doctor"...: as the server's own user, with the server's settings.
exec /usr/bin/python3 -s -B /usr/lib/bumper/bumper_start.pyc command "$@"
