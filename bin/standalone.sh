# Sourced, after common.sh, by what starts, stops or measures the standalone JVM.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # what it uses and sets crosses the files

PORT=${PORT:-8080}
DATA=$(realpath -m -- "${DATA:-var}")
url=http://localhost:$PORT
jar=$root/standalone/target/standalone-0.1.0.jar

[[ $PORT =~ ^[1-9][0-9]{0,4}$ && $PORT -le 65535 ]] || die "PORT is '$PORT', which is no TCP port" "make up PORT=8080"

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

ready() { [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$url/readyz")" = 200 ]; }

# running PID: that process is a standalone JVM, and not whoever got its number later.
running() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF 'standalone-0.1.0.jar'; }

# The keys are written when everything has started, which may be a moment after the first 200.
keys_written() { grep -qs "^SANDGLASS_URL=.*:$PORT\$" "$DATA/sandglass.env" && grep -q '^SANDGLASS_API_KEY=.' "$DATA/sandglass.env"; }
up() { ready && keys_written; }

# start_standalone LOG [FLAG…]: starts the JVM in a session of its own; its process id is in $started.
start_standalone() {
  local java cache log=$1
  java=$("$root/bin/jdk")/bin/java
  cache=$("$root/bin/aot-cache")
  shift
  [ $# -gt 0 ] || [ ! -e "$cache" ] || set -- "-XX:AOTCache=$cache" -Xlog:aot=off
  PORT=$PORT DATA=$DATA setsid nohup "$java" -Xmx1g -XX:+UseParallelGC \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    "$@" -jar "$jar" </dev/null >>"$log" 2>&1 &
  started=$!
}

# remove_data: all that a run on $DATA left, which will not run again.
remove_data() {
  [ ! -s "$DATA/node-id" ] || "$root/bin/remove-node" "$(cat "$DATA/node-id")"
  rm -rf "$DATA"
}
