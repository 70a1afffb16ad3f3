/** Asks systemd for a delegated scope, where no part of the cgroup tree is ours. */
module dev.holdfast.systemd {
  requires dev.holdfast;
  requires static org.jspecify;
  requires org.freedesktop.dbus;

  provides dev.holdfast.cgroup.ScopeManager with
      dev.holdfast.systemd.SystemdScopes;
}
