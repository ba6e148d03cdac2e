# Installs the services that test/services needs from Debian's packages; fails on a machine without apt.
missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
command -v nginx >/dev/null || missing+=(nginx-light)
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
# docker.test.ts, image.test.ts and systemd.test.ts each start a daemon of their own.
command -v dockerd >/dev/null && command -v docker >/dev/null && command -v ip >/dev/null || missing+=(docker.io iptables iproute2)
# test/services/page.test.ts opens the live page in it.
command -v chromium >/dev/null || missing+=(chromium)
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || missing+=(docker-compose)
[ -x /usr/lib/systemd/systemd ] && command -v systemd-notify >/dev/null || missing+=(systemd)
[ -x /usr/sbin/logrotate ] || missing+=(logrotate)
[ ${#missing[@]} -eq 0 ] && exit 0
command -v apt-get >/dev/null || exit 1
apt-get update -qq >/dev/null 2>&1
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1
