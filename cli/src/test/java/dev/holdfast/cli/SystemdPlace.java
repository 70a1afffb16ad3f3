package dev.holdfast.cli;

import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Where systemd may have put the command, and what is to be seen there. */
enum SystemdPlace {
  DELEGATED_SERVICE(
      words -> Installed.service(List.of("Delegate=yes"), words),
      "leaf",
      Group.SERVICE,
      "are ours"),
  SERVICE_OF_ROOT(
      words -> Installed.service(List.of(), words),
      "systemd",
      Group.SYSTEM_SCOPE,
      "has not delegated to us; systemd gives us a scope"),
  DELEGATED_SERVICE_OF_A_USER(
      words -> Installed.service(List.of("Delegate=yes", "User=tester"), words),
      "leaf",
      Group.SERVICE,
      "are ours"),
  SERVICE_OF_A_USER(
      words -> Installed.service(List.of("User=tester"), words),
      "systemd",
      Group.USER_SCOPE,
      "not writable for us; the user's systemd gives us a scope"),
  /** A user's systemd marks none of its units, but writes down what it was asked for. */
  USERS_SERVICE(
      words -> Installed.ofUsersSystemd(List.of("--wait", "--pipe", "--collect"), words),
      "systemd",
      Group.USER_SCOPE,
      "is a service of a user's systemd, which marks none as delegated; the user's systemd gives"),
  USERS_DELEGATED_SCOPE(
      words -> Installed.ofUsersSystemd(List.of("--scope", "--property=Delegate=yes"), words),
      "leaf",
      Group.OF_USER + "[^/]+\\.scope",
      "are ours"),
  USERS_DELEGATED_SERVICE(
      words ->
          Installed.ofUsersSystemd(
              List.of("--wait", "--pipe", "--collect", "--property=Delegate=yes"), words),
      "leaf",
      Group.OF_USER + "[^/]+\\.service",
      "are ours"),
  USERS_SCOPE(
      words -> Installed.ofUsersSystemd(List.of("--scope"), words),
      "systemd",
      Group.USER_SCOPE,
      "is a scope that the user's systemd has not delegated to us; the user's systemd gives us"),
  LOGIN_OF_A_USER(
      words -> Installed.login("tester", words),
      "systemd",
      Group.USER_SCOPE,
      "not writable for us; the user's systemd gives us a scope"),
  LOGIN_OF_ROOT(
      words -> Installed.login("root", words),
      "systemd",
      Group.SYSTEM_SCOPE,
      "systemd gives us a scope"),
  CONTAINER(Installed::container, "none", null, "mounted read-only"),
  NOBODY(
      words -> Installed.service(List.of("User=nobody"), words),
      "none",
      null,
      "no systemd runs for this user");

  /** Where jobs lie, as regular expressions. */
  static final class Group {
    static final String SERVICE = "/system\\.slice/[^/]+\\.service";
    static final String SYSTEM_SCOPE = "/system\\.slice/holdfast-[0-9]+-[0-9a-f]+\\.scope";
    static final String OF_USER =
        "/user\\.slice/user-1000\\.slice/user@1000\\.service/app\\.slice/";
    static final String USER_SCOPE = OF_USER + "holdfast-[0-9]+-[0-9a-f]+\\.scope";

    private Group() {}
  }

  private final UnaryOperator<List<String>> way;
  private final String delegation;
  private final @Nullable String group;
  private final String told;

  SystemdPlace(
      UnaryOperator<List<String>> way, String delegation, @Nullable String group, String told) {
    this.way = way;
    this.delegation = delegation;
    this.group = group;
    this.told = told;
  }

  /** The words that run {@code words} there. */
  List<String> words(List<String> words) {
    return way.apply(words);
  }

  /** What doctor calls it. */
  String delegation() {
    return delegation;
  }

  /** Where jobs lie; null where there is no group, and so no limits. */
  @Nullable String group() {
    return group;
  }

  /** Why it is so, in doctor's words. */
  String told() {
    return told;
  }
}
