# Starts the services for test/services on free loopback ports once their packages are installed (the job `installing` of
# .ci/run). Without them those suites are skipped.
service_dir=""
free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

start_redis() {
  command -v redis-server >/dev/null || return 1
  local port; port="$(free_port)"
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize yes \
    --dir "$service_dir" --pidfile "$service_dir/redis.pid" >/dev/null || return 1
  export TARGON_TEST_REDIS_URL="redis://127.0.0.1:$port"
}

start_postgres() {
  local bin; bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)"
  [ -n "$bin" ] || return 1
  local port; port="$(free_port)"
  local as=()
  if [ "$(id -u)" = 0 ]; then chown postgres "$service_dir"; as=(runuser -u postgres --); fi
  "${as[@]}" "$bin/initdb" -D "$service_dir/pg" -A trust -U targon >/dev/null || return 1
  "${as[@]}" "$bin/pg_ctl" -D "$service_dir/pg" -w -l "$service_dir/pg.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$service_dir -c fsync=off" start >/dev/null || return 1
  export TARGON_TEST_POSTGRES_URL="postgres://targon@127.0.0.1:$port/postgres"
}

# The Python clients and Helm are installed beside other suites; the services wait this many seconds more for the clients.
clients_wait=90
wait_for_clients() {
  local until=$((SECONDS + clients_wait))
  while kill -0 "$installing_clients" 2>/dev/null && [ "$SECONDS" -lt "$until" ]; do sleep 1; done
  kill "$installing_clients" 2>/dev/null # `timeout` passes the signal on to what it runs
  wait "$installing_clients"
}

wait_for_tools() {
  wait_for_clients || echo "services: Python clients are missing, their tests are skipped"
  wait "$installing_helm" || echo "services: Helm is missing, its suite is skipped: $(cat "$TARGON_TEST_HELM_TOOLS/problem" 2>/dev/null)"
  local problem
  for problem in "$TARGON_TEST_PYTHON_CLIENTS"/*.problem; do
    [ -f "$problem" ] && echo "services: Python client $(basename "$problem" .problem): $(cat "$problem")"
  done
  return 0
}

stop_services() {
  [ -f "$service_dir/redis.pid" ] && kill "$(cat "$service_dir/redis.pid")" 2>/dev/null
  [ -f "$service_dir/pg/postmaster.pid" ] && kill "$(head -1 "$service_dir/pg/postmaster.pid")" 2>/dev/null
  return 0
}

service_dir="$(mktemp -d)"
chmod 755 "$service_dir"
wait "$installing" || echo "services: could not install the packages"
start_redis && echo "services: Redis at $TARGON_TEST_REDIS_URL" || echo "services: Redis is missing, its suites are skipped"
start_postgres && echo "services: PostgreSQL at $TARGON_TEST_POSTGRES_URL" || echo "services: PostgreSQL is missing, its suites are skipped"
# compiling takes both cores for minutes, so it begins after the unit suite and ends before anything judges time
timeout 900 bash .ci/install-helm.sh &
installing_helm=$!
