# Sourced by kernels/uml and kernels/qemu: what both guests have in common. Bash.

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 125
}

# The usage text is the comment at the head of the script itself.
usage() {
  sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0"
}

# A private directory of the host that goes away with us; holds the job, the console and sockets.
make_work_dir() {
  dir=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-guest.XXXXXX")
  guest=
  trap 'finish' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# The guest runs in a process group of its own, so that whatever processes it has on the host (User-mode Linux has one
# for every process in the guest) end with it. EXIT trap.
finish() {
  trap '' HUP INT TERM
  end_guest
  rm -rf "$dir"
}

end_guest() {
  [ -n "$guest" ] || return 0
  { kill -KILL -- "-$guest" && wait "$guest"; } 2>/dev/null || true
  guest=
}

# write_job FILE COMMAND ARG…: a script that runs the command as if it had been started here. Of the environment go along
# what programs need to find each other, and our own settings.
write_job() {
  local file=$1 name
  shift
  {
    printf 'cd -- %q || exit 125\n' "$PWD"
    for name in PATH HOME LANG LC_ALL TZ JAVA_HOME JAVA_TOOL_OPTIONS "${!HOLDFAST_@}"; do
      [ -z "${!name+x}" ] || printf 'export %s=%q\n' "$name" "${!name}"
    done
    printf 'exec'
    printf ' %q' "$@"
    printf '\n'
  } >"$file"
}

# open_stream NAME READER…: a descriptor (in $NAME) for the guest to write to, read by READER. The guest gets a pipe of its
# own because guests make their descriptors non-blocking, which would spread to whoever shares ours.
open_stream() {
  local name=$1 stream
  shift
  mkfifo "$dir/$name.pipe"
  "$@" <"$dir/$name.pipe" &
  readers+=("$!")
  exec {stream}>"$dir/$name.pipe"
  printf -v "$name" %s "$stream"
}

to_stdout() { exec cat; }
to_stderr() { exec cat >&2; }
to_file() { exec cat >"$1"; }

# start_guest SECONDS COMMAND…: with a watchdog that ends it even if this script is killed, and leaves by itself.
start_guest() {
  local seconds=$1
  shift
  setsid "$@" </dev/null &
  guest=$!
  setsid bash -c 'timeout "$1" tail --pid="$2" -f /dev/null || { : >"$3"; kill -KILL -- "-$2"; }' \
    watchdog "$seconds" "$guest" "$dir/timed-out" </dev/null >/dev/null 2>&1 &
  disown $!
}

# Waits for the guest and for the last of its output; then exits with the command's status, or 124 with the console's end.
report_guest() {
  local fd status
  for fd in "$@"; do exec {fd}>&-; done
  wait "$guest" 2>/dev/null || true # its own status says nothing, and the shell would report how it was killed
  end_guest
  wait "${readers[@]}" || true
  if declare -F before_report >/dev/null; then before_report; fi
  status=$(cat "$dir/status" 2>/dev/null || true)
  case $status in
    [0-9]*) exit "${status%%[!0-9]*}" ;;
  esac
  {
    if [ -e "$dir/timed-out" ]; then
      echo "${0##*/}: the guest did not end within $timeout s; the last lines of its console:"
    else
      echo "${0##*/}: the guest ended by itself without reporting a status; the last lines of its console:"
    fi
    tr -d '\r' <"$dir/console" | tail -n 40 | sed 's/^/  | /'
  } >&2
  exit 124
}

# readable_to_all PATH:…: lets an ordinary user read these files and trees. Only for a guest, whose changes are its own; few
# processes, because each is dear there.
readable_to_all() {
  local entries parents=() parent
  mapfile -t entries < <(tr : '\n' <<<"$1")
  for parent in "${entries[@]}"; do
    while parent=${parent%/*} && [ -n "$parent" ]; do parents+=("$parent"); done
  done
  mapfile -t parents < <(printf '%s\n' "${parents[@]}" | sort -u)
  find "${parents[@]}" -maxdepth 0 ! -perm -o=x -exec chmod o+x {} +
  find "${entries[@]}" ! -perm -o=r -exec chmod o+rX {} + 2>/dev/null || true
}
